# GoToSocial with SQLite, see https://docs.gotosocial.org/en/latest/configuration/.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  service = config.fediversity.planned.gotosocial;
  mail = config.fediversity.mail;
  state = "/var/lib/gotosocial";
  database = "${state}/database.sqlite";
  port = 8090;
  package = config.services.gotosocial.package;
  # Its own command takes passwords only as arguments, so its database is told.
  setPassword = "${config.fediversity.nodejs}/bin/node ${../../../node/engines/local/recipes/gotosocial/set-password.mjs}";
in
lib.mkIf (config.fediversity.planned ? gotosocial) {
  services.gotosocial = {
    enable = true;
    settings = {
      inherit (service) host;
      inherit port;
      protocol = if service.tls then "https" else "http";
      bind-address = "127.0.0.1";
      trusted-proxies = [
        "127.0.0.1/32"
        "::1/128"
      ];
      db-type = "sqlite";
      db-address = database;
      storage-backend = "local";
      storage-local-base-path = "${state}/storage";
      letsencrypt-enabled = false;
      accounts-registration-open = false;
    }
    // lib.optionalAttrs (mail.host != null) {
      smtp-host = mail.host;
      smtp-port = mail.port;
      smtp-username = if mail.user == null then "" else mail.user;
      smtp-from = "social@${config.fediversity.deployment.domain}";
    };
    environmentFile = lib.mkIf (mail.passwordFile != null) "${service.prepared}/mail.env";
  };

  # The first start compiles what it treats pictures with; later ones find that here.
  systemd.services.gotosocial = {
    environment.GTS_WAZERO_COMPILATION_CACHE = "/var/cache/gotosocial";
    serviceConfig = {
      CacheDirectory = "gotosocial";
      TimeoutStopSec = 30;
    };
  };

  services.nginx.virtualHosts.${service.host} = {
    locations."/" = {
      proxyPass = "http://127.0.0.1:${toString port}";
      proxyWebsockets = true;
      extraConfig = "client_max_body_size 100m;";
    };
  };

  fediversity.services.${service.key} = {
    units = [ "gotosocial.service" ];
    volumes = {
      database = {
        kind = "sqlite";
        path = database;
        owner = "gotosocial";
      };
      storage = {
        kind = "directory";
        path = "${state}/storage";
        owner = "gotosocial";
      };
    };
    health = {
      url = "http://127.0.0.1:${toString port}/nodeinfo/2.0";
      inherit (service) host;
    };
  };

  fediversity.secrets.gotosocial = {
    folder = service.secrets;
    names = [ "password" ];
    before = [ "gotosocial.service" ];
    group = "gotosocial";
    prepare = lib.optionalString (mail.passwordFile != null) ''
      printf 'GTS_SMTP_PASSWORD=%s\n' "$(cat ${mail.passwordFile})" > "$TO/mail.env"
    '';
  };

  # It remembers accounts, so the password changes while it rests.
  fediversity.owners.gotosocial = {
    before = [ "gotosocial.service" ];
    user = "gotosocial";
    password = "${service.secrets}/password";
    path = [
      package
      pkgs.mkpasswd
      pkgs.sqlite
    ];
    environment = {
      GTS_HOST = service.host;
      GTS_DB_TYPE = "sqlite";
      GTS_DB_ADDRESS = database;
      GTS_STORAGE_LOCAL_BASE_PATH = "${state}/storage";
      GTS_LOG_LEVEL = "warn";
      GTS_WAZERO_COMPILATION_CACHE = "/var/cache/gotosocial";
    };
    settings = {
      StateDirectory = "fediversity-owner-gotosocial gotosocial";
      CacheDirectory = "gotosocial";
      TimeoutStartSec = 600;
    };
    give = ''
      username=${lib.escapeShellArg service.owner.username}
      mine="SELECT count(*) FROM accounts WHERE username = '$username' AND domain IS NULL"
      there=$(sqlite3 ${database} "$mine" 2>/dev/null || echo 0)
      if [ "$there" = 0 ]; then
        # Anybody can read arguments: this password opens nothing, there is another one before the server starts.
        gotosocial admin account create --username "$username" --email ${lib.escapeShellArg service.owner.email} \
          --password "$(head -c 30 /dev/urandom | base64 -w 0)"
        gotosocial admin account promote --username "$username"
      fi
      if [ "$there" = 0 ] || [ -n "$KNOWN" ]; then
        mkpasswd --method=bcrypt --rounds=10 --stdin < "$CREDENTIALS_DIRECTORY/password" | tr -d '\n' \
          | ${setPassword} ${database} "$username"
      fi
    '';
  };
}
