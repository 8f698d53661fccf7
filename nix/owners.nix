# The first account of a service, made without mail. A service that came from another provider brings its accounts along; then
# there is nothing to make. The password is set again whenever the one among the secrets has changed.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  owner = types.submodule {
    options = {
      after = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Units that must run for it.";
      };
      before = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Units that start only afterwards.";
      };
      user = mkOption {
        type = types.str;
        default = "root";
        description = "Who does it.";
      };
      password = mkOption {
        type = types.str;
        description = "File with the password.";
      };
      path = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Programs that `give` needs.";
      };
      environment = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "What it is told, without secrets.";
      };
      environmentFiles = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "What it is told beside, with secrets.";
      };
      settings = mkOption {
        type = types.attrsOf types.anything;
        default = { };
        description = "More of systemd.exec(5).";
      };
      give = mkOption {
        type = types.lines;
        description = ''
          Makes the account if it is missing, and gives it the password in $CREDENTIALS_DIRECTORY/password if $KNOWN is empty
          and the account was missing, or if $KNOWN is `changed`. Doing it again does no harm.
        '';
      };
    };
  };

  # What is remembered is a hash that root alone can read; a password of 24 random letters cannot be guessed from it.
  unit = name: owner: {
    description = "First account of ${name}";
    wantedBy = [ "multi-user.target" ];
    inherit (owner) before environment;
    after = owner.after ++ [ "fediversity-secrets-${name}.service" ];
    requires = owner.after ++ [ "fediversity-secrets-${name}.service" ];
    requiredBy = owner.before;
    unitConfig.ConditionPathExists = [ "!/var/lib/fediversity/frozen/${config.fediversity.planned.${name}.key}" ];
    path = [ pkgs.coreutils ] ++ owner.path;
    restartTriggers = [ owner.give ];
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      User = owner.user;
      StateDirectory = "fediversity-owner-${name}";
      StateDirectoryMode = "0700";
      LoadCredential = [ "password:${owner.password}" ];
      EnvironmentFile = owner.environmentFiles;
      Restart = "on-failure";
      RestartSec = 15;
      UMask = "0077";
      PrivateTmp = true;
      ProtectHome = true;
    }
    // owner.settings;
    script = ''
      now=$(sha256sum < "$CREDENTIALS_DIRECTORY/password")
      before=$(cat /var/lib/fediversity-owner-${name}/given 2>/dev/null || true)
      if [ "$before" = "$now" ]; then exit 0; fi
      KNOWN=''${before:+changed}
      export KNOWN
      ${owner.give}
      printf '%s\n' "$now" > /var/lib/fediversity-owner-${name}/given
    '';
  };
in
{
  options.fediversity.owners = mkOption {
    type = types.attrsOf owner;
    default = { };
    description = "The first account of each service.";
  };

  config.systemd.services = lib.mapAttrs' (
    name: owner: lib.nameValuePair "fediversity-owner-${name}" (unit name owner)
  ) config.fediversity.owners;
}
