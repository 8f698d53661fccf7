# Garage on three machines (or more) of the provider's, each with a copy of everything. It belongs to no deployment: the node makes
# buckets in it by the admin API, and deployments name it as their endpoint.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.fediversity.cluster;
  folder = "/var/lib/fediversity/secrets/cluster/garage";
  wanted = pkgs.writeText "cluster.json" (
    builtins.toJSON {
      admin = "http://127.0.0.1:3903";
      buckets = [ ];
      nodes = builtins.length cfg.peers + 1;
      inherit (cfg) zones capacityGiB;
    }
  );
in
{
  options.fediversity.cluster = {
    enable = lib.mkEnableOption "a node of a storage cluster on this machine";
    address = mkOption {
      type = types.str;
      description = "Where the other nodes reach this one, such as an address in a private network.";
    };
    peers = mkOption {
      type = types.listOf (types.strMatching "[0-9a-f]{64}@.+:[0-9]+");
      default = [ ];
      description = "The other nodes, as `garage node id` prints them there after their first start.";
    };
    replicas = mkOption {
      type = types.ints.between 1 7;
      default = 3;
      description = "How many copies there are of everything; cannot be changed later.";
    };
    first = mkOption {
      type = types.bool;
      default = false;
      description = "Whether this node lays out the cluster once all peers are there; set it on one.";
    };
    zones = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Place of each node by its id, so that copies lie in different ones; each is its own zone otherwise.";
    };
    capacityGiB = mkOption {
      type = types.ints.positive;
      default = 100;
      description = "How much each node may hold.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.garage = {
      enable = true;
      package = lib.mkDefault pkgs.garage_2;
      settings =
        import ./settings.nix {
          inherit (cfg) replicas peers;
          rpcAddress = "[::]:3901";
          rpcPublic = "${cfg.address}:3901";
          webDomain = ".storage.internal";
        }
        // {
          db_engine = "lmdb"; # copies elsewhere make up for what a crash could damage
        };
    };
    systemd.services.garage = import ./unit.nix { inherit lib folder; };
    users.users.garage = {
      isSystemUser = true;
      group = "garage";
    };
    users.groups.garage = { };
    networking.firewall.allowedTCPPorts = [ 3901 ];

    systemd.services.fediversity-cluster = lib.mkIf cfg.first {
      description = "Layout of the storage cluster";
      after = [ "garage.service" ];
      requires = [ "garage.service" ];
      wantedBy = [ "multi-user.target" ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        DynamicUser = true;
        LoadCredential = [ "admin:${folder}/admin" ];
        Restart = "on-failure";
        RestartSec = 15;
      };
      script = "${config.fediversity.nodejs}/bin/node ${./furnish.mjs} ${wanted}";
    };

    fediversity.secrets.cluster = {
      inherit folder;
      names = [
        "rpc"
        "admin"
        "metrics"
      ];
      before = [ "garage.service" ];
    };
  };
}
