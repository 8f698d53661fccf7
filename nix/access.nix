# Who gets in, by ssh. The node has one key, as root: with it NixOps4 copies a new system here and switches to it, and so it may
# talk to the agent too. Another program's key, such as one that watches, may be good for the agent alone.
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
      description = "Public keys that may call the agent and nothing else. The node's own is not one of them: see deployKeys.";
    };
    deployKeys = mkOption {
      type = types.listOf key;
      default = [ ];
      description = ''
        Public keys that may bring a new system: whoever holds one is root. What `fediversity machine key` prints goes here.
      '';
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
        # The node has one connection, in which each volume that is open is a session, and each thing asked another one.
        MaxSessions = 100;
        # Of a node that is gone nothing stays here for longer than this, three times.
        ClientAliveInterval = 15;
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
