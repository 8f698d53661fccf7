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
  kind = "ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh[.]com";
  key = types.strMatching "(${kind}) [A-Za-z0-9+/]+={0,2}( [A-Za-z0-9@._-]*)?";

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
      description = ''
        Public keys of the customer whom you let sign in, as the user `customer`, without any power. The node adds those of its
        account where `engine.customer_ssh` is set.
      '';
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
      # sshd goes by the first line with a key: of one that is in both lists more is true.
      root.openssh.authorizedKeys.keys =
        map (key: "restrict ${key}") cfg.deployKeys ++ map (key: ''restrict,command="${agentOnly}" ${key}'') cfg.agentKeys;
    }
    // lib.optionalAttrs (cfg.customerKeys != [ ]) {
      customer = {
        isNormalUser = true;
        description = "The customer, without any power";
        # The machine is somebody else's one day: nothing is kept for them here.
        createHome = false;
        home = "/var/empty";
        openssh.authorizedKeys.keys = map (key: "restrict,pty ${key}") cfg.customerKeys;
      };
    };
    # Whoever may not sign in any more does not stay either.
    systemd.services.fediversity-customer = lib.mkIf (cfg.customerKeys != [ ]) {
      description = "Ends what the customer does here when other keys are let in";
      wantedBy = [ "multi-user.target" ];
      restartTriggers = cfg.customerKeys;
      path = [ config.systemd.package ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      preStop = "loginctl terminate-user customer || true";
    };
  };
}
