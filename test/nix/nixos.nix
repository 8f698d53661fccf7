# Test equipment: the options of nixpkgs' NixOS modules that ours may set, written down from their documentation (as of late 2025),
# so that a name or a value that they would refuse is refused here too. With NIXPKGS=/path the real ones are used instead.
{ lib }:
let
  inherit (lib) mkOption types;
  option = type: mkOption { inherit type; };
  optional = type: default: mkOption { inherit type default; };
  sub = options: types.submodule { inherit options; };
  file = types.nullOr types.path;
  texts = types.listOf types.str;
  enable = optional types.bool false;
  package = name: optional types.package { outPath = "/nix/store/${name}"; name = name; };
  settings = optional (types.attrsOf types.anything) { };

  location = sub {
    proxyPass = optional (types.nullOr types.str) null;
    proxyWebsockets = optional types.bool false;
    recommendedProxySettings = optional types.bool true;
    extraConfig = optional types.lines "";
    return = optional (types.nullOr types.str) null;
  };
  virtualHost = {
    serverAliases = optional texts [ ];
    enableACME = optional types.bool false;
    forceSSL = optional types.bool false;
    onlySSL = optional types.bool false;
    sslCertificate = optional file null;
    sslCertificateKey = optional file null;
    extraConfig = optional types.lines "";
    rejectSSL = optional types.bool false;
    default = optional types.bool false;
    listen = optional (types.listOf (sub { addr = option types.str; port = option types.port; ssl = optional types.bool false; })) [ ];
    locations = optional (types.attrsOf location) { };
  };

  unit = {
    description = optional types.str "";
    after = optional texts [ ];
    before = optional texts [ ];
    requires = optional texts [ ];
    requiredBy = optional texts [ ];
    wants = optional texts [ ];
    wantedBy = optional texts [ ];
    partOf = optional texts [ ];
    unitConfig = settings;
    documentation = optional texts [ ];
  };
  service = unit // {
    environment = optional (types.attrsOf types.str) { };
    path = optional (types.listOf types.package) [ ];
    restartTriggers = optional (types.listOf types.raw) [ ];
    script = optional types.lines "";
    preStop = optional types.lines "";
    serviceConfig = settings;
    startLimitIntervalSec = optional types.int 10;
  };
in
{
  options = {
    assertions = optional (types.listOf (sub { assertion = option types.bool; message = option types.str; })) [ ];
    environment.etc = optional (types.attrsOf (sub { text = option types.lines; })) { };
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
    users.groups = optional (types.attrsOf (sub { })) { };
    users.users = optional (types.attrsOf (sub {
      isSystemUser = optional types.bool false;
      isNormalUser = optional types.bool false;
      description = optional types.str "";
      group = optional types.str "";
      createHome = optional types.bool false;
      home = optional types.str "/var/empty";
      openssh.authorizedKeys.keys = optional texts [ ];
    })) { };

    services.galene = {
      inherit enable;
      package = package "galene";
      insecure = optional types.bool false;
      httpAddress = optional types.str "";
      httpPort = optional types.port 8443;
      stateDir = optional types.str "/var/lib/galene";
    };
    services.garage = {
      inherit enable settings;
      package = option types.package;
      environmentFile = optional file null;
    };
    services.gotosocial = {
      inherit enable settings;
      package = package "gotosocial";
      environmentFile = optional file null;
    };
    services.mastodon = {
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
    services.nginx = {
      inherit enable;
      recommendedProxySettings = optional types.bool false;
      recommendedTlsSettings = optional types.bool false;
      recommendedOptimisation = optional types.bool false;
      recommendedGzipSettings = optional types.bool false;
      commonHttpConfig = optional types.lines "";
      virtualHosts = optional (types.attrsOf (sub virtualHost)) { };
    };
    services.openssh = { inherit enable settings; };
    services.peertube = {
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
    services.pixelfed = {
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
}
