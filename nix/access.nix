# How the node gets in: by ssh, as root, with two keys. One may do nothing but talk to the agent; the other brings a new system
# (NixOps4 copies it and switches to it).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.fediversity.access;
  key = types.strMatching "(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa|sk-ssh-ed25519@openssh.com) [A-Za-z0-9+/=]+( [A-Za-z0-9@._-]*)?";

  agent = "${config.fediversity.package}/bin/fediversity-agent";
  agentOnly = "${pkgs.runtimeShell} ${./agent-only.sh} ${agent}";
in
{
  options.fediversity.access = {
    agentKeys = mkOption {
      type = types.listOf key;
      default = [ ];
      description = "Public keys that may call the agent and nothing else.";
    };
    deployKeys = mkOption {
      type = types.listOf key;
      default = [ ];
      description = "Public keys that may bring a new system: whoever holds one is root.";
    };
    customerKeys = mkOption {
      type = types.listOf key;
      default = [ ];
      description = "Public keys of customers whom you let sign in, as the user `customer`, without any power.";
    };
  };

  config = {
    services.openssh = {
      enable = true;
      settings = {
        PasswordAuthentication = false;
        KbdInteractiveAuthentication = false;
        PermitRootLogin = "prohibit-password";
      };
    };
    users.users = {
      root.openssh.authorizedKeys.keys =
        map (key: ''restrict,command="${agentOnly}" ${key}'') cfg.agentKeys ++ map (key: "restrict ${key}") cfg.deployKeys;
    }
    // lib.optionalAttrs (cfg.customerKeys != [ ]) {
      customer = {
        isNormalUser = true;
        description = "The customer, without any power";
        openssh.authorizedKeys.keys = map (key: "restrict,pty ${key}") cfg.customerKeys;
      };
    };
  };
}
