# What a machine is for: one deployment, given as data. Nothing here is code of a customer: each text is checked by its type
# and only ever a value. The root in nixops4/ fills it from plan.json.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";
  hostname = types.strMatching "(${label}\\.)+${label}";
  identifier = types.strMatching "[A-Za-z0-9][A-Za-z0-9_-]{0,63}";

  service = types.submodule {
    options = {
      hosts = mkOption {
        type = types.nonEmptyListOf hostname;
        description = "Full host names, the main one first.";
      };
      origin = mkOption {
        type = types.strMatching "https?://(${label}\\.)+${label}(:[0-9]{1,5})?";
        description = "The origin people use.";
      };
      owner = {
        username = mkOption {
          type = types.strMatching "[a-z0-9_]{1,30}";
          description = "Name of the first account. Its password lies among the service's secrets.";
        };
        email = mkOption {
          type = types.strMatching "[A-Za-z0-9.!#$%&*+/=?^_{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}";
          description = "Where the first account gets its mail.";
        };
      };
    };
  };

  deployment = types.submodule {
    options = {
      deployment = mkOption {
        type = identifier;
        description = "The deployment's identifier at its node.";
      };
      domain = mkOption {
        type = hostname;
        description = "The customer's domain.";
      };
      mode = mkOption {
        type = types.enum [
          "serving"
          "frozen"
          "stopped"
          "absent"
        ];
        default = "serving";
        description = ''
          `frozen` and `stopped` change nothing here: the agent does that in seconds, and what rests stays so. `absent`: the
          services are no longer part of the system; the agent erases their state before.
        '';
      };
      services = mkOption {
        type = types.attrsOf service;
        default = { };
        description = "The services by their names in the catalogue.";
      };
    };
  };

  given = config.fediversity.deployment;

  planned =
    name: data:
    data
    // {
      key = "${given.deployment}/${name}";
      host = builtins.head data.hosts;
      tls = lib.hasPrefix "https:" data.origin;
      secrets = "/var/lib/fediversity/secrets/${given.deployment}/${name}";
      prepared = "/run/fediversity/${name}";
    };
in
{
  options.fediversity = {
    deployment = mkOption {
      type = types.nullOr deployment;
      default = null;
      description = "The deployment that this machine is for; null while it waits in the pool.";
    };

    publicAddress = mkOption {
      type = types.nullOr (types.strMatching "[0-9A-Za-z.:-]+");
      default = null;
      description = ''
        Where everybody but the node reaches this machine, if elsewhere, as behind NAT. The node says what `machine add` was told.
      '';
    };

    planned = mkOption {
      type = types.attrsOf types.raw;
      readOnly = true;
      internal = true;
      description = "The deployment's services with what follows from them, for the modules of the services.";
    };
  };

  config.fediversity.planned = if given == null || given.mode == "absent" then { } else lib.mapAttrs planned given.services;
}
