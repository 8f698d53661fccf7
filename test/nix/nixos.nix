# Test equipment: the options of nixpkgs' NixOS modules that ours may set, with what those modules make of them where ours could
# contradict it, written down after reading them (specs/nixos.md says which), so that what they would refuse is refused here too.
# With NIXPKGS=/path the real ones are used instead, with NIXOS_MODULES=/path those that nixos-modules.nix names.
{ lib }:
let
  inherit (lib) mkDefault mkIf mkMerge mkOption types;
  option = type: mkOption { inherit type; };
  optional = type: default: mkOption { inherit type default; };
  sub = options: types.submodule { inherit options; };
  file = types.nullOr types.path;
  texts = types.listOf types.str;
  enable = optional types.bool false;
  package = name: optional types.package { outPath = "/nix/store/${name}"; name = name; };
  settings = optional (types.attrsOf types.anything) { };
  unitKind = "service|socket|device|mount|automount|swap|target|path|timer|scope|slice";
  unitNames = optional (types.listOf (types.strMatching "[a-zA-Z0-9@%:_.-]+[.](${unitKind})")) [ ];

  location = sub {
    alias = optional file null;
    priority = optional types.int 1000;
    proxyPass = optional (types.nullOr types.str) null;
    proxyWebsockets = optional types.bool false;
    recommendedProxySettings = optional types.bool true;
    extraConfig = optional types.lines "";
    return = optional (types.nullOr types.str) null;
    root = optional file null;
    tryFiles = optional (types.nullOr types.str) null;
  };
  virtualHost = {
    serverAliases = optional texts [ ];
    addSSL = optional types.bool false;
    enableACME = optional types.bool false;
    forceSSL = optional types.bool false;
    onlySSL = optional types.bool false;
    sslCertificate = optional file null;
    sslCertificateKey = optional file null;
    extraConfig = optional types.lines "";
    rejectSSL = optional types.bool false;
    root = optional file null;
    default = optional types.bool false;
    listen = optional (types.listOf (sub { addr = option types.str; port = option types.port; ssl = optional types.bool false; })) [ ];
    locations = optional (types.attrsOf location) { };
  };

  unit = {
    description = optional (types.strMatching "[^\n]*") "";
    after = unitNames;
    before = unitNames;
    requires = unitNames;
    requiredBy = unitNames;
    wants = unitNames;
    wantedBy = unitNames;
    partOf = unitNames;
    unitConfig = settings;
    documentation = optional texts [ ];
  };
  service = unit // {
    environment = optional (types.attrsOf (if types ? oneOf then types.oneOf [ types.str types.path types.package ] else types.str)) { };
    path = optional (types.listOf types.package) [ ];
    restartTriggers = optional (types.listOf types.raw) [ ];
    script = optional types.lines "";
    preStart = optional types.lines "";
    preStop = optional types.lines "";
    serviceConfig = settings;
    startAt = optional types.raw [ ];
    startLimitIntervalSec = optional types.int 10;
  };
  user = {
    isSystemUser = optional types.bool false;
    isNormalUser = optional types.bool false;
    description = optional types.str "";
    group = optional types.str "";
    extraGroups = optional texts [ ];
    createHome = optional types.bool false;
    home = optional types.path "/var/empty";
    packages = optional (types.listOf types.package) [ ];
    openssh.authorizedKeys.keys = optional (types.listOf (types.strMatching "[^\n]*")) [ ];
  };

  # A unit as a module makes it; what it starts means nothing here.
  made = name: lib.nameValuePair name { serviceConfig.ExecStart = "/nix/store/${name}/bin/${name}"; };
  units = names: lib.listToAttrs (map made names);
  system = name: {
    users.${name} = { isSystemUser = true; group = name; };
    groups.${name} = { };
  };
  says = assertion: message: { inherit assertion message; };
in
rec {
  inherit optional sub settings texts;

  # What is the same whatever services there are.
  base = { config, ... }: {
    options = {
      assertions = optional (types.listOf (sub { assertion = option types.bool; message = option types.str; })) [ ];
      environment.etc = optional (types.attrsOf (sub { text = optional types.lines ""; source = optional types.raw null; })) { };
      environment.systemPackages = optional (types.listOf types.package) [ ];
      networking.hostName = optional types.str "";
      networking.firewall = {
        enable = optional types.bool true;
        allowedTCPPorts = optional (types.listOf types.port) [ ];
        allowedUDPPorts = optional (types.listOf types.port) [ ];
      };
      nix.package = package "nix";
      security.acme = {
        acceptTerms = optional types.bool false;
        defaults = {
          email = optional (types.nullOr types.str) null;
          server = optional (types.nullOr types.str) null;
        };
      };
      system.stateVersion = optional types.str "";
      systemd.package = package "systemd";
      systemd.services = optional (types.attrsOf (sub service)) { };
      systemd.timers = optional (types.attrsOf (sub (unit // { timerConfig = settings; }))) { };
      systemd.tmpfiles.rules = optional texts [ ];
      users.groups = optional (types.attrsOf (sub { members = optional texts [ ]; })) { };
      users.users = optional (types.attrsOf (sub user)) { };

      services.openssh = { inherit enable settings; };
    };

    config.assertions = lib.mapAttrsToList
      (name: user: says
        (name == "root" || (user.uid or null != null)
          || (if user.isSystemUser then !user.isNormalUser && config.users.groups ? ${user.group} else user.isNormalUser))
        "users.users.${name} is either of the system, in a group that there is, or normal")
      config.users.users;
  };

  # What services stand on.
  servers = { config, ... }: {
    options = {
      services.nginx = {
        inherit enable;
        user = optional types.str "nginx";
        recommendedProxySettings = optional types.bool false;
        recommendedTlsSettings = optional types.bool false;
        recommendedOptimisation = optional types.bool false;
        recommendedGzipSettings = optional types.bool false;
        serverNamesHashBucketSize = optional (types.nullOr types.ints.positive) null;
        commonHttpConfig = optional types.lines "";
        virtualHosts = optional (types.attrsOf (sub virtualHost)) { };
      };
      services.postgresql = {
        inherit enable settings;
        package = package "postgresql";
        ensureDatabases = optional texts [ ];
        ensureUsers = optional (types.listOf (sub {
          name = option types.str;
          ensureDBOwnership = optional types.bool false;
          ensureClauses = settings;
        })) [ ];
        authentication = optional types.lines "";
        identMap = optional types.lines "";
      };
    };

    config.assertions = lib.mapAttrsToList
      (name: host: says (builtins.length (builtins.filter (on: on) [ host.addSSL host.forceSSL host.onlySSL host.rejectSSL ]) <= 1)
        "services.nginx.virtualHosts.${name}: addSSL, forceSSL, onlySSL and rejectSSL are mutually exclusive")
      config.services.nginx.virtualHosts
    ++ map
      (one: says (one.ensureDBOwnership -> builtins.elem one.name config.services.postgresql.ensureDatabases)
        "services.postgresql.ensureUsers: ${one.name} has no database of its name")
      config.services.postgresql.ensureUsers;
  };

  # The modules of the six services.
  services = { config, ... }:
    let cfg = config.services; in
    {
      options.services = {
        galene = {
          inherit enable;
          package = package "galene";
          insecure = optional types.bool false;
          httpAddress = optional types.str "";
          httpPort = optional types.port 8443;
          stateDir = optional types.path "/var/lib/galene";
          turnAddress = optional types.str "auto";
        };
        garage = {
          inherit enable settings;
          package = option types.package;
          environmentFile = optional file null;
        };
        gotosocial = {
          inherit enable settings;
          package = package "gotosocial";
          environmentFile = optional file null;
        };
        mastodon = {
          inherit enable;
          package = package "mastodon";
          localDomain = option types.str;
          streamingProcesses = option types.ints.positive;
          configureNginx = optional types.bool false;
          sidekiqThreads = optional types.int 25;
          sidekiqProcesses = optional (types.attrsOf types.anything) { all = { jobClasses = [ ]; threads = null; }; };
          secretKeyBaseFile = option types.str;
          vapidPublicKeyFile = option types.str;
          vapidPrivateKeyFile = option types.str;
          activeRecordEncryptionDeterministicKeyFile = option types.str;
          activeRecordEncryptionKeyDerivationSaltFile = option types.str;
          activeRecordEncryptionPrimaryKeyFile = option types.str;
          smtp = {
            createLocally = optional types.bool true;
            authenticate = optional types.bool false;
            host = optional types.str "127.0.0.1";
            port = optional types.port 25;
            fromAddress = option types.str;
            user = optional (types.nullOr types.str) null;
            passwordFile = optional file null;
          };
          extraConfig = settings;
          extraEnvFiles = optional (types.listOf types.path) [ ];
          mediaAutoRemove.olderThanDays = optional types.int 30;
        };
        peertube = {
          inherit enable settings;
          package = package "peertube";
          localDomain = option types.str;
          configureNginx = optional types.bool false;
          enableWebHttps = optional types.bool false;
          listenHttp = optional types.port 9000;
          listenWeb = optional types.port 9000;
          secrets.secretsFile = optional file null;
          serviceEnvironmentFile = optional file null;
          database.createLocally = optional types.bool false;
          redis.createLocally = optional types.bool false;
          smtp.passwordFile = optional file null;
        };
        pixelfed = {
          inherit enable settings;
          package = package "pixelfed";
          domain = option types.str;
          secretFile = option types.path;
          database.type = optional (types.enum [ "mysql" "pgsql" ]) "mysql";
          schedulerInterval = optional types.str "1d";
          maxUploadSize = optional types.str "8M";
          nginx = optional (types.nullOr (sub virtualHost)) null;
          dataDir = optional types.str "/var/lib/pixelfed";
        };
      };

      config = mkMerge [
        (mkIf cfg.galene.enable {
          assertions = [ (says cfg.galene.insecure "services.galene: a certificate, or insecure") ];
          systemd.services = units [ "galene" ];
          users = system "galene";
        })
        (mkIf cfg.garage.enable {
          systemd.services.garage.serviceConfig = {
            ExecStart = "${cfg.garage.package}/bin/garage server";
            DynamicUser = mkDefault true;
            LimitNOFILE = 42000;
            StateDirectory = "garage";
          };
        })
        (mkIf cfg.gotosocial.enable {
          systemd.services = units [ "gotosocial" ];
          users = system "gotosocial";
        })
        (mkIf cfg.mastodon.enable {
          assertions = [
            (says (cfg.mastodon.smtp.authenticate -> cfg.mastodon.smtp.user != null && cfg.mastodon.smtp.passwordFile != null)
              "services.mastodon.smtp.authenticate: needs user and passwordFile")
          ];
          systemd.services = units ([ "mastodon-init-dirs" "mastodon-init-db" "mastodon-web" "mastodon-media-auto-remove" ]
            ++ map (i: "mastodon-streaming-${toString (i + 1)}") (lib.genList (i: i) cfg.mastodon.streamingProcesses)
            ++ map (name: "mastodon-sidekiq-${name}") (builtins.attrNames cfg.mastodon.sidekiqProcesses));
          systemd.timers.mastodon-media-auto-remove.timerConfig.OnCalendar = "daily";
          services.nginx.virtualHosts = mkIf cfg.mastodon.configureNginx {
            ${cfg.mastodon.localDomain} = { enableACME = mkDefault true; forceSSL = mkDefault true; };
          };
          services.postgresql = {
            ensureDatabases = [ "mastodon" ];
            ensureUsers = [ { name = "mastodon"; ensureDBOwnership = true; } ];
          };
          users = system "mastodon";
        })
        (mkIf cfg.peertube.enable {
          assertions = [ (says (cfg.peertube.secrets.secretsFile != null) "services.peertube.secrets.secretsFile needs to be set") ];
          systemd.services = units [ "peertube" "peertube-init-db" ];
          users = system "peertube";
        })
        (mkIf cfg.pixelfed.enable {
          systemd.services = units [ "phpfpm-pixelfed" "pixelfed-horizon" "pixelfed-cron" "pixelfed-data-setup" ];
          systemd.timers.pixelfed-cron.timerConfig.OnUnitActiveSec = cfg.pixelfed.schedulerInterval;
          # The host that it was given with everything that stands in it by default, which nobody else may say differently then.
          services.nginx.virtualHosts = mkIf (cfg.pixelfed.nginx != null) { ${cfg.pixelfed.domain} = cfg.pixelfed.nginx; };
          services.pixelfed.settings.DB_PORT = 0;
          services.postgresql = {
            ensureDatabases = [ "pixelfed" ];
            ensureUsers = [ { name = "pixelfed"; } ];
          };
          users = system "pixelfed";
        })
      ];
    };
}
