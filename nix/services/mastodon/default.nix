# Mastodon on nixpkgs' own module, with media in the storage; see https://docs.joinmastodon.org/admin/config/.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  service = config.fediversity.planned.mastodon;
  bucket = config.fediversity.buckets.mastodon;
  mail = config.fediversity.mail;
  cfg = config.services.mastodon;
  storage = "${service.prepared}/storage.env";
  keys = name: "${service.prepared}/keys/${name}";
  unitsOf = prefix: names: map (name: "mastodon-${prefix}-${name}.service") names;
  owner = pkgs.writeText "owner.json" (builtins.toJSON service.owner);
in
lib.mkIf (config.fediversity.planned ? mastodon) {
  services.mastodon = {
    enable = true;
    localDomain = service.host;
    configureNginx = true;
    streamingProcesses = lib.mkDefault 1;
    sidekiqThreads = lib.mkDefault 10;
    secretKeyBaseFile = keys "secret-key-base";
    vapidPublicKeyFile = keys "vapid-public-key";
    vapidPrivateKeyFile = keys "vapid-private-key";
    activeRecordEncryptionDeterministicKeyFile = keys "active-record-encryption-deterministic-key";
    activeRecordEncryptionKeyDerivationSaltFile = keys "active-record-encryption-key-derivation-salt";
    activeRecordEncryptionPrimaryKeyFile = keys "active-record-encryption-primary-key";
    smtp = {
      createLocally = false;
      fromAddress = "social@${config.fediversity.deployment.domain}";
    }
    // lib.optionalAttrs (mail.host != null) { inherit (mail) host port; }
    // lib.optionalAttrs (mail.host != null && mail.user != null) {
      authenticate = true;
      inherit (mail) user;
      passwordFile = "${service.prepared}/mail-password";
    };
    extraConfig = {
      S3_ENABLED = "true";
      S3_BUCKET = bucket.bucket;
      S3_REGION = bucket.region;
      S3_ENDPOINT = bucket.endpoint;
      S3_HOSTNAME = lib.removePrefix "http://" (lib.removePrefix "https://" bucket.endpoint);
      S3_PROTOCOL = builtins.head (lib.splitString ":" bucket.endpoint);
      S3_ALIAS_HOST = lib.removePrefix "http://" (lib.removePrefix "https://" bucket.url);
      # Garage has no access lists; what is public is the bucket as a whole.
      S3_PERMISSION = "";
      SINGLE_USER_MODE = "false";
    }
    // lib.optionalAttrs (mail.host != null && mail.port == 465) { SMTP_TLS = "true"; };
    extraEnvFiles = [ storage ];
    mediaAutoRemove.olderThanDays = lib.mkDefault 14;
  };

  # Mastodon takes videos up to that, and nginx 10 MB unless told.
  services.nginx.virtualHosts.${service.host}.extraConfig = "client_max_body_size 99m;";

  # What the timer starts ends when the service rests.
  systemd.services.mastodon-media-auto-remove.partOf = [ "mastodon-web.service" ];

  fediversity.databases = [ "mastodon" ];
  fediversity.buckets.mastodon = { };

  fediversity.services.${service.key} = {
    units = [
      "mastodon-web.service"
    ]
    ++ unitsOf "streaming" (lib.genList (i: toString (i + 1)) cfg.streamingProcesses)
    ++ [ "mastodon-media-auto-remove.timer" ]
    ++ unitsOf "sidekiq" (builtins.attrNames cfg.sidekiqProcesses);
    prepared = [
      "mastodon-init-dirs.service"
      "mastodon-init-db.service"
      "mastodon-media-auto-remove.service"
    ];
    volumes = {
      database = {
        kind = "postgres";
        database = "mastodon";
      };
      media = {
        kind = "bucket";
        inherit (bucket) bucket endpoint region;
        accessKeyIdFile = "${service.prepared}/storage-key-id";
        secretAccessKeyFile = "${service.prepared}/storage-key";
      };
      keys = {
        kind = "secret";
        secrets = [
          "secret-key-base"
          "vapid"
          "active-record"
        ];
      };
    };
    health = {
      url = "${config.fediversity.inside}/health";
      inherit (service) host;
    };
  };

  fediversity.secrets.mastodon = {
    folder = service.secrets;
    names = [
      "password"
      "secret-key-base"
      "vapid"
      "active-record"
    ];
    before = [
      "mastodon-init-dirs.service"
      "mastodon-web.service"
    ];
    group = "mastodon";
    path = [ pkgs.openssl ];
    prepare = ''
      ${pkgs.runtimeShell} ${./keys.sh} "$FROM" "$TO/keys"
      ${bucket.prepare}
      ${lib.optionalString (mail.passwordFile != null) ''cp ${mail.passwordFile} "$TO/mail-password"''}
      chmod -R g+rX "$TO"
    '';
  };

  fediversity.owners.mastodon = {
    after = [
      "mastodon-init-db.service"
      "mastodon-web.service"
    ];
    user = "mastodon";
    password = "${service.secrets}/password";
    environment =
      builtins.removeAttrs (config.systemd.services.mastodon-web.environment or { }) [
        "PATH"
        "LOCALE_ARCHIVE"
        "TZDIR"
        "SOCKET"
      ]
      // {
        OWNER = "${owner}";
      };
    environmentFiles = [
      "/var/lib/mastodon/.secrets_env"
      storage
    ];
    settings.WorkingDirectory = cfg.package;
    give = "${cfg.package}/bin/rails runner ${./owner.rb}";
  };
}
