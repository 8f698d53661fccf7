# Garage on one machine, for the services beside it. Each public bucket is read at https://<host>/<bucket>/; what is in the bucket
# called like the host itself, at https://<host>/.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  service = config.fediversity.planned.garage;
  buckets = lib.filterAttrs (_: bucket: bucket.endpoint == "http://127.0.0.1:3900") config.fediversity.buckets;
  names = lib.mapAttrsToList (_: bucket: bucket.bucket) buckets;
  webDomain = ".storage.internal";
  reading = host: {
    proxyPass = "http://127.0.0.1:3902/";
    # The name of the bucket stands in the host name.
    recommendedProxySettings = false;
    extraConfig = ''
      proxy_set_header Host ${host};
      proxy_hide_header Access-Control-Allow-Origin;
      add_header Access-Control-Allow-Origin *;
      limit_except GET { deny all; }
    '';
  };
  wanted = pkgs.writeText "storage.json" (
    builtins.toJSON {
      admin = "http://127.0.0.1:3903";
      buckets = [ service.host ] ++ names;
      key = config.fediversity.deployment.deployment;
      nodes = 1;
    }
  );
in
{
  imports = [ ./cluster.nix ];

  config = lib.mkIf (config.fediversity.planned ? garage) {
    services.garage = {
      enable = true;
      package = lib.mkDefault pkgs.garage_2;
      settings = import ./settings.nix {
        replicas = 1;
        rpcAddress = "127.0.0.1:3901";
        rpcPublic = "127.0.0.1:3901";
        inherit webDomain;
      };
    };
    systemd.services.garage = import ./unit.nix {
      inherit lib;
      folder = service.secrets;
    };
    users.users.garage = {
      isSystemUser = true;
      group = "garage";
    };
    users.groups.garage = { };

    # Lays out the one node, imports the key and opens the buckets; what is there already stays as it is.
    systemd.services.fediversity-storage = {
      description = "Layout, key and buckets of the storage";
      after = [ "garage.service" ];
      requires = [ "garage.service" ];
      wantedBy = [ "multi-user.target" ];
      restartTriggers = [ wanted ];
      unitConfig.ConditionPathExists = [ "!/var/lib/fediversity/frozen/${service.key}" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        DynamicUser = true;
        LoadCredential = [
          "admin:${service.secrets}/admin"
          "key:${service.secrets}/key"
        ];
        Restart = "on-failure";
        RestartSec = 5;
      };
      script = "${config.fediversity.nodejs}/bin/node ${./furnish.mjs} ${wanted}";
    };

    services.nginx.virtualHosts.${service.host} = {
      locations = {
        "/" = reading "$host";
      }
      // lib.listToAttrs (map (name: lib.nameValuePair "/${name}/" (reading "${name}${webDomain}")) names);
    };

    fediversity.services.${service.key} = {
      units = [ "garage.service" ];
      volumes = {
        metadata = {
          kind = "directory";
          path = "/var/lib/garage/meta";
          owner = "garage";
        };
        data = {
          kind = "directory";
          path = "/var/lib/garage/data";
          owner = "garage";
        };
      };
      health.url = "http://127.0.0.1:3903/health";
    };

    fediversity.secrets.garage = {
      folder = service.secrets;
      names = [
        "rpc"
        "admin"
        "metrics"
        "key"
      ];
      before = [ "garage.service" ];
    };
  };
}
