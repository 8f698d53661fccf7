# services.fediversity: a provider's node.
{ fediversity, inputs }:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.fediversity;
  format = pkgs.formats.toml { };
  state = "/var/lib/fediversity-node";
  file = format.generate "fediversity.toml" cfg.settings;
  isNixops4 = cfg.settings.engine.kind == "nixops4";
  port = lib.toInt (lib.last (lib.splitString ":" cfg.settings.web.listen));
  tlsPort = lib.toInt (lib.last (lib.splitString ":" cfg.settings.web.listen_tls));

  credential =
    variable: name: path:
    lib.optionalAttrs (path != null) {
      environment.${variable} = "%d/${name}";
      serviceConfig.LoadCredential = [ "${name}:${path}" ];
    };

  # The root of all deployments, with what this provider's flake has locked.
  root = pkgs.symlinkJoin {
    name = "fediversity-root";
    paths = [
      code
      (pkgs.writeTextDir "versions.json" (builtins.toJSON versions))
    ];
  };

  # What the machines get, so that nothing moves in that these cannot read.
  versions =
    let
      packages = inputs.nixpkgs.legacyPackages.${pkgs.stdenv.hostPlatform.system};
    in
    {
      mastodon = packages.mastodon.version;
      peertube = packages.peertube.version;
      pixelfed = packages.pixelfed.version;
      garage = packages.garage_2.version;
      galene = packages.galene.version;
      gotosocial = packages.gotosocial.version;
    };

  code = pkgs.writeTextDir "default.nix" ''
    { plan }:
    import ${cfg.package}/lib/fediversity/nix/nixops4 {
      inherit plan;
      nixpkgs = builtins.getFlake "path:${inputs.nixpkgs}";
      nixops4 = builtins.getFlake "path:${inputs.nixops4}";
      nixops4-nixos = builtins.getFlake "path:${inputs.nixops4-nixos}";
      # They get the agent of this very version.
      machines = builtins.mapAttrs (_: hardware: { lib, ... }: {
        imports = [ hardware ];
        fediversity.package = lib.mkDefault (builtins.storePath ${cfg.package});
      }) (${if cfg.machines == null then "{ }" else "import ${cfg.machines}"});
    }
  '';

  # As the node's own user, who alone may use its socket.
  command = pkgs.writeShellApplication {
    name = "fediversity";
    text = ''
      if [ "$(id -un)" = fediversity ]; then
        exec ${lib.getExe cfg.package} "$@"
      fi
      exec /run/wrappers/bin/sudo -u fediversity FEDIVERSITY_CONFIG=${file} ${lib.getExe cfg.package} "$@"
    '';
  };

  path = types.strMatching "/[A-Za-z0-9._/-]+";
  secret =
    description:
    mkOption {
      type = types.nullOr path;
      default = null;
      inherit description;
    };
in
{
  options.services.fediversity = {
    enable = lib.mkEnableOption "a node of Fediversity, by which customers get Fediverse services and move them";

    package = mkOption {
      type = types.package;
      default = fediversity pkgs;
      description = "The node.";
    };

    settings = mkOption {
      type = types.submodule {
        freeformType = format.type;
        options = {
          provider.name = mkOption {
            type = types.str;
            description = "Your organisation's name.";
          };
          web.url = mkOption {
            type = types.strMatching "https?://[a-z0-9.:-]+";
            description = "The panel's origin, such as https://north.example.";
          };
          web.listen = mkOption {
            type = types.str;
            default = "127.0.0.1:8080";
            description = "Address and port of the front door.";
          };
          engine.kind = mkOption {
            type = types.str;
            default = "local";
            description = "What runs the services: `local` or `nixops4`.";
          };
        };
      };
      default = { };
      description = ''
        Every setting of the node, as in its TOML file. World-readable: secrets are named by the options beside this one.
      '';
    };

    secrets = {
      zoneKeyFile = secret "File with the TSIG key of `settings.zone`, base64.";
      mailPasswordFile = secret "File with the password of `settings.mail`.";
      vaultKeyFile = secret "File with the master key of the vault; null: made in the state folder at the first start.";
      sshKeyFile = secret "File with the ssh key by which the node reaches its machines; null: made in the state folder.";
      storageTokenFile = secret "File with the administration token of `settings.storage`.";
    };

    machines = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "A Nix file: an attribute set with a NixOS module for each machine of the pool, by its name there.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the ports of `web.listen` and `web.listen_tls` are open to everybody.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion =
          !(cfg.settings ? vault)
          && !((cfg.settings.zone or { }) ? key_file)
          && !((cfg.settings.mail or { }) ? password_file)
          && !((cfg.settings.storage or { }) ? token_file);
        message = "services.fediversity.settings: name files with secrets by services.fediversity.secrets instead.";
      }
    ];

    services.fediversity.settings = {
      state.folder = state;
      log.format = lib.mkDefault "json";
    };

    environment.systemPackages = [ command ];

    users.users.fediversity = {
      isSystemUser = true;
      group = "fediversity";
      home = state;
    };
    users.groups.fediversity = { };

    networking.firewall.allowedTCPPorts = lib.optionals cfg.openFirewall (
      [ port ] ++ lib.optional (cfg.settings.web ? listen_tls) tlsPort
    );

    systemd.services.fediversity = lib.mkMerge [
      {
        description = "Fediversity node";
        wantedBy = [ "multi-user.target" ];
        wants = [ "network-online.target" ];
        after = [
          "network-online.target"
          "nss-lookup.target"
        ];
        path = [
          # systemd-notify, by which it says that it is ready and well
          config.systemd.package
          pkgs.openssh
        ]
        ++ lib.optionals isNixops4 [
          config.nix.package
          inputs.nixops4.packages.${pkgs.stdenv.hostPlatform.system}.default
        ];
        # As node/boot.mjs has it.
        environment.MALLOC_ARENA_MAX = "2";
        serviceConfig = {
          Type = "notify";
          NotifyAccess = "all";
          WatchdogSec = 60;
          ExecStart = "${lib.getExe cfg.package} serve --config ${file}";
          Restart = "on-failure";
          RestartSec = 2;
          TimeoutStartSec = 120;
          TimeoutStopSec = 120;
          User = "fediversity";
          Group = "fediversity";
          StateDirectory = "fediversity-node";
          StateDirectoryMode = "0700";
          WorkingDirectory = state;
          UMask = "0077";
          LimitNOFILE = 65536;

          AmbientCapabilities = lib.optionals (port < 1024) [ "CAP_NET_BIND_SERVICE" ];
          CapabilityBoundingSet = if port < 1024 then [ "CAP_NET_BIND_SERVICE" ] else [ "" ];
          LockPersonality = true;
          NoNewPrivileges = true;
          PrivateDevices = true;
          PrivateTmp = true;
          ProtectClock = true;
          ProtectControlGroups = true;
          ProtectHome = true;
          ProtectHostname = true;
          ProtectKernelLogs = true;
          ProtectKernelModules = true;
          ProtectKernelTunables = true;
          ProtectSystem = "strict";
          RemoveIPC = true;
          RestrictAddressFamilies = [
            "AF_INET"
            "AF_INET6"
            "AF_NETLINK"
            "AF_UNIX"
          ];
          RestrictRealtime = true;
          RestrictSUIDSGID = true;
          SystemCallArchitectures = "native";
        };
      }
      (lib.mkIf isNixops4 {
        environment = {
          FEDIVERSITY_ENGINE_ROOT = "${root}";
          NIX_CONFIG = "experimental-features = nix-command flakes";
        };
      })
      (credential "FEDIVERSITY_ZONE_KEY_FILE" "zone-key" cfg.secrets.zoneKeyFile)
      (credential "FEDIVERSITY_MAIL_PASSWORD_FILE" "mail-password" cfg.secrets.mailPasswordFile)
      (credential "FEDIVERSITY_STORAGE_TOKEN_FILE" "storage-token" cfg.secrets.storageTokenFile)
      (credential "FEDIVERSITY_VAULT_KEY_FILE" "vault-key" cfg.secrets.vaultKeyFile)
      (credential "FEDIVERSITY_ENGINE_KEY_FILE" "ssh-key" cfg.secrets.sshKeyFile)
    ];
  };
}
