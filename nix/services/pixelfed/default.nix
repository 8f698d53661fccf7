# Pixelfed on nixpkgs' own module, with PostgreSQL and with photographs in the storage; see https://docs.pixelfed.org.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  service = config.fediversity.planned.pixelfed;
  bucket = config.fediversity.buckets.pixelfed;
  mail = config.fediversity.mail;
  cfg = config.services.pixelfed;
  owner = pkgs.writeText "owner.json" (builtins.toJSON service.owner);
in
lib.mkIf (config.fediversity.planned ? pixelfed) {
  services.pixelfed = {
    enable = true;
    domain = service.host;
    secretFile = "${service.prepared}/pixelfed.env";
    database.type = "pgsql";
    # Laravel counts on being asked every minute what there is to do.
    schedulerInterval = "1m";
    maxUploadSize = "64M";
    nginx = config.fediversity.front.pixelfed;
    settings = {
      APP_URL = service.origin;
      SESSION_SECURE_COOKIE = service.tls;
      # nixpkgs' module tells MariaDB's way to the socket; this is PostgreSQL's.
      DB_HOST = "/run/postgresql";
      DB_PORT = lib.mkForce 5432;
      FILESYSTEM_CLOUD = "s3";
      PF_ENABLE_CLOUD = true;
      DANGEROUSLY_SET_FILESYSTEM_DRIVER = "s3";
      AWS_DEFAULT_REGION = bucket.region;
      AWS_BUCKET = bucket.bucket;
      AWS_ENDPOINT = bucket.endpoint;
      AWS_URL = bucket.url;
      AWS_USE_PATH_STYLE_ENDPOINT = true;
      ENFORCE_EMAIL_VERIFICATION = mail.host != null;
    }
    // lib.optionalAttrs (mail.host != null) {
      MAIL_DRIVER = "smtp";
      MAIL_HOST = mail.host;
      MAIL_PORT = mail.port;
      MAIL_USERNAME = if mail.user == null then "" else mail.user;
      MAIL_ENCRYPTION = if mail.port == 465 then "ssl" else "tls";
      MAIL_FROM_ADDRESS = "photos@${config.fediversity.deployment.domain}";
    };
  };

  # What the timer starts ends when the service rests.
  systemd.services.pixelfed-cron.partOf = [ "phpfpm-pixelfed.service" ];

  fediversity.databases = [ "pixelfed" ];
  fediversity.buckets.pixelfed = { };

  fediversity.services.${service.key} = {
    units = [
      "phpfpm-pixelfed.service"
      "pixelfed-cron.timer"
      "pixelfed-horizon.service"
    ];
    prepared = [
      "pixelfed-data-setup.service"
      "pixelfed-cron.service"
    ];
    volumes = {
      database = {
        kind = "postgres";
        database = "pixelfed";
      };
      photos = {
        kind = "bucket";
        inherit (bucket) bucket endpoint region;
        accessKeyIdFile = "${service.prepared}/storage-key-id";
        secretAccessKeyFile = "${service.prepared}/storage-key";
      };
      files = {
        kind = "directory";
        path = "${cfg.dataDir}/storage";
        owner = "pixelfed";
      };
    };
    health = {
      url = "${config.fediversity.inside}/api/nodeinfo/2.0.json";
      inherit (service) host;
    };
  };

  fediversity.secrets.pixelfed = {
    folder = service.secrets;
    names = [
      "password"
      "app-key"
    ];
    before = [ "pixelfed-data-setup.service" ];
    group = "pixelfed";
    path = [ pkgs.openssl ];
    prepare = ''
      ${bucket.prepare}
      key=$({ printf 'app key of '; cat "$FROM/app-key"; } | openssl dgst -sha256 -binary | base64 -w 0)
      { cat "$TO/storage.env"; printf 'APP_KEY=base64:%s\n' "$key"; } > "$TO/pixelfed.env"
      ${lib.optionalString (mail.passwordFile != null) ''
        printf 'MAIL_PASSWORD="%s"\n' "$(cat ${mail.passwordFile})" >> "$TO/pixelfed.env"
      ''}
    '';
  };

  fediversity.owners.pixelfed = {
    after = [
      "pixelfed-data-setup.service"
      "phpfpm-pixelfed.service"
    ];
    user = "pixelfed";
    password = "${service.secrets}/password";
    environment = {
      OWNER = "${owner}";
      # tinker wants to write there, and its own user has no home.
      XDG_CONFIG_HOME = "/tmp";
    };
    give = ''/run/current-system/sw/bin/pixelfed-manage tinker --execute="require '${./owner.php}';"'';
  };
}
