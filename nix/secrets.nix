# Secrets lie in /var/lib/fediversity/secrets/<deployment>/<service>/<name>, 0400, put there by the node over ssh before the system
# switch that needs them. Here they are brought into the form that each program wants, in memory, before it first starts.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  service = types.submodule {
    options = {
      folder = mkOption {
        type = types.str;
        description = "Where the node puts them.";
      };
      names = mkOption {
        type = types.listOf types.str;
        description = "Which must be there.";
      };
      before = mkOption {
        type = types.listOf types.str;
        description = "Units that do not start without them.";
      };
      group = mkOption {
        type = types.str;
        default = "root";
        description = "Who may read what is made of them, beside root.";
      };
      path = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Programs that `prepare` needs.";
      };
      prepare = mkOption {
        type = types.lines;
        default = "";
        description = "Shell lines that make files in $TO of those in $FROM.";
      };
    };
  };

  prepared = name: secrets: {
    description = "Secrets of ${name}";
    inherit (secrets) before;
    requiredBy = secrets.before;
    wantedBy = [ "multi-user.target" ];
    # The node puts them there before it switches the system; after a restore it may come later.
    startLimitIntervalSec = 0;
    path = [ pkgs.coreutils ] ++ secrets.path;
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      UMask = "0027";
      RuntimeDirectory = "fediversity/${name}";
      RuntimeDirectoryMode = "0750";
      Group = secrets.group;
      ReadOnlyPaths = [ "-${secrets.folder}" ];
      PrivateNetwork = true;
      PrivateTmp = true;
      ProtectHome = true;
      NoNewPrivileges = true;
    };
    script = ''
      FROM=${lib.escapeShellArg secrets.folder}
      TO=/run/fediversity/${name}
      for name in ${lib.escapeShellArgs secrets.names}; do
        if [ ! -s "$FROM/$name" ]; then
          echo "The secret $name of ${name} is not here; the node puts it there by: fediversity-agent secret-put" >&2
          exit 1
        fi
      done
      ${secrets.prepare}
    '';
  };
in
{
  options.fediversity.secrets = mkOption {
    type = types.attrsOf service;
    default = { };
    description = "The secrets of each service.";
  };

  config.systemd.services = lib.mapAttrs' (
    name: secrets: lib.nameValuePair "fediversity-secrets-${name}" (prepared name secrets)
  ) config.fediversity.secrets;
}
