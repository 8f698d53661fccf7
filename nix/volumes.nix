# The contract between a service and its node: what the service keeps, how it rests, how one sees that it is well. The agent
# reads it from /etc/fediversity/agent.json and does nothing that is not declared there. Backup tools of the provider use
# `dump` and `restore`, which write to standard output and read from standard input.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  cfg = config.fediversity;
  absolute = types.strMatching "/[A-Za-z0-9._/@-]+";
  word = types.strMatching "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  unit = types.strMatching "[A-Za-z0-9@_.-]+\\.(service|timer|target|socket)";
  optionally =
    type: description:
    mkOption {
      inherit type description;
      default = null;
    };

  volume = types.submodule (
    { config, ... }:
    {
      options = {
        kind = mkOption {
          type = types.enum [
            "directory"
            "sqlite"
            "postgres"
            "bucket"
            "secret"
          ];
          description = "How it is moved.";
        };
        path = optionally (types.nullOr absolute) "Of a directory, or of an SQLite database.";
        owner = optionally (types.nullOr types.str) "The user whom files belong to.";
        database = optionally (types.nullOr word) "In PostgreSQL, where the role of the same name owns it.";
        bucket = optionally (types.nullOr word) "In the storage beside the service.";
        endpoint = optionally (types.nullOr types.str) "Where the storage answers S3.";
        region = optionally (types.nullOr types.str) "As the storage has it.";
        accessKeyIdFile = optionally (types.nullOr absolute) "File with the key's id.";
        secretAccessKeyFile = optionally (types.nullOr absolute) "File with the key's secret.";
        secrets = mkOption {
          type = types.listOf word;
          default = [ ];
          description = "Names of the secrets that make up a volume of kind secret.";
        };
        dump = mkOption {
          type = types.nullOr types.str;
          description = "Shell command that writes a copy to its standard output; null: backed up elsewhere.";
        };
        restore = mkOption {
          type = types.nullOr types.str;
          description = "Shell command that takes such a copy from its standard input, while the service rests.";
        };
      };

      config = lib.mkMerge [
        (lib.mkIf (config.kind == "directory") {
          dump = lib.mkDefault "tar --create --numeric-owner --directory ${config.path} .";
          restore = lib.mkDefault "tar --extract --numeric-owner --same-owner --directory ${config.path}";
        })
        (lib.mkIf (config.kind == "sqlite") {
          dump = lib.mkDefault "sqlite3 ${config.path} .dump";
          restore = lib.mkDefault ''
            rm -f ${config.path} ${config.path}-wal ${config.path}-shm
            sqlite3 ${config.path}
            chown ${config.owner}: ${config.path}
          '';
        })
        (lib.mkIf (config.kind == "postgres") {
          dump = lib.mkDefault "pg_dump --format custom --username ${config.database} ${config.database}";
          restore = lib.mkDefault ''
            pg_restore --clean --if-exists --no-owner --single-transaction \
              --username ${config.database} --dbname ${config.database}
          '';
        })
        (lib.mkIf (config.kind == "bucket" || config.kind == "secret") {
          dump = lib.mkDefault null;
          restore = lib.mkDefault null;
        })
      ];
    }
  );

  service = types.submodule {
    options = {
      units = mkOption {
        type = types.listOf unit;
        description = ''
          What writes its state and is stopped to freeze it. Databases and the storage stay up, since they are read while the
          service rests. Work that a timer starts belongs to one of these units (`partOf`), so that thawing does not start it.
        '';
      };
      prepared = mkOption {
        type = types.listOf unit;
        default = [ ];
        description = "What its units start before themselves, or a timer starts, and what must not run while it rests either.";
      };
      volumes = mkOption {
        type = types.attrsOf volume;
        default = { };
        description = "Its state by the names in the catalogue. What is not declared is cache.";
      };
      health = {
        url = optionally (types.nullOr types.str) "Address on this machine that answers when the service is well.";
        host = optionally (types.nullOr types.str) "Host name to ask by.";
      };
    };
  };

  frozen = key: "/var/lib/fediversity/frozen/${key}";

  of = {
    directory = { path, owner, ... }: { inherit path owner; };
    sqlite = { path, owner, ... }: { inherit path owner; };
    postgres =
      { database, ... }:
      {
        host = "/run/postgresql";
        port = 5432;
        inherit database;
        user = database;
        programs = "${config.services.postgresql.package}/bin";
      };
    bucket =
      {
        endpoint,
        region,
        bucket,
        accessKeyIdFile,
        secretAccessKeyFile,
        ...
      }:
      {
        inherit
          endpoint
          region
          bucket
          accessKeyIdFile
          secretAccessKeyFile
          ;
      };
  };
  place = volume: { inherit (volume) kind; } // of.${volume.kind} volume;

  declared = {
    services = lib.mapAttrs (key: service: {
      inherit (service) units;
      prepares = lib.optional (cfg.secrets ? ${baseNameOf key}) "fediversity-secrets-${baseNameOf key}.service";
      account =
        if cfg.owners ? ${baseNameOf key} then "fediversity-owner-${baseNameOf key}.service" else null;
      # Secrets are the node's: it has them in its vault, and hands them on itself.
      volumes = lib.mapAttrs (_: place) (lib.filterAttrs (_: volume: volume.kind != "secret") service.volumes);
      health =
        if service.health.url == null then
          null
        else
          { inherit (service.health) url; }
          // lib.optionalAttrs (service.health.host != null) { inherit (service.health) host; };
    }) cfg.services;
  };

  # Neither a reboot nor a system switch wakes what is frozen or stopped: the agent writes this file, and takes it away again.
  resting =
    suffix: settings:
    lib.mkMerge (
      lib.mapAttrsToList (
        key: service:
        lib.listToAttrs (
          map (name: lib.nameValuePair (lib.removeSuffix suffix name) (settings key service)) (
            lib.filter (lib.hasSuffix suffix) (service.units ++ service.prepared)
          )
        )
      ) cfg.services
    );
  rest = key: _: {
    unitConfig.ConditionPathExists = [ "!${frozen key}" ];
  };

  commands = lib.concatStringsSep "\n" (
    lib.flatten (
      lib.mapAttrsToList (
        key: service:
        lib.mapAttrsToList (
          name: volume:
          lib.optional (volume.dump != null) ''
            "dump ${key} ${name}") ${volume.dump} ;;
            "restore ${key} ${name}") ${volume.restore} ;;
          ''
        ) service.volumes
      ) cfg.services
    )
  );

  # For the provider's own backups; moves do not use it.
  volumeCommand = pkgs.writeShellApplication {
    name = "fediversity-volume";
    runtimeInputs = [
      pkgs.gnutar
      pkgs.sqlite
    ]
    ++ lib.optional config.services.postgresql.enable config.services.postgresql.package;
    text = ''
      case "$*" in
      ${commands}
      *) echo "usage: fediversity-volume dump|restore DEPLOYMENT/SERVICE VOLUME" >&2; exit 2 ;;
      esac
    '';
  };
in
{
  options.fediversity = {
    services = mkOption {
      type = types.attrsOf service;
      default = { };
      description = "What runs here for a node, by `deployment/service`.";
    };
    package = mkOption {
      type = types.package;
      description = "The package that brings the agent.";
    };
    nodejs = mkOption {
      type = types.package;
      default = cfg.package.nodejs or pkgs.nodejs;
      description = "With which our own small programs run.";
    };
  };

  config = {
    environment.etc."fediversity/agent.json".text = builtins.toJSON declared;
    environment.systemPackages = [
      cfg.package
      volumeCommand
    ];

    systemd.services = resting ".service" rest;
    systemd.timers = resting ".timer" rest;

    systemd.tmpfiles.rules = [
      "d /var/lib/fediversity 0755 root root - -"
      "d /var/lib/fediversity/frozen 0755 root root - -"
      "d /var/lib/fediversity/secrets 0700 root root - -"
      "d /run/fediversity 0755 root root - -"
    ];
  };
}
