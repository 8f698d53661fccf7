# PeerTube on nixpkgs' own module, with videos in the storage; see https://docs.joinpeertube.org/admin/configuration.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  service = config.fediversity.planned.peertube;
  bucket = config.fediversity.buckets.peertube;
  mail = config.fediversity.mail;
  cache = "/var/cache/peertube";
  environment = "${service.prepared}/peertube.env";
  port = 9000;
  # One bucket for everything, a folder in it for each kind. PeerTube asks by path of endpoints that are addresses, as ours are;
  # told to do so always, it would put the bucket into `base_url` once more.
  stored = folder: {
    bucket_name = bucket.bucket;
    prefix = "${folder}/";
    base_url = bucket.url;
  };
  owner = pkgs.writeText "owner.json" (
    builtins.toJSON (service.owner // { server = "http://127.0.0.1:${toString port}"; })
  );
in
lib.mkIf (config.fediversity.planned ? peertube) {
  services.peertube = {
    enable = true;
    localDomain = service.host;
    configureNginx = true;
    enableWebHttps = service.tls;
    listenHttp = port;
    listenWeb = if service.tls then 443 else 80;
    secrets.secretsFile = "${service.prepared}/secret";
    serviceEnvironmentFile = environment;
    database.createLocally = true;
    redis.createLocally = true;
    smtp.passwordFile = lib.mkIf (mail.passwordFile != null) "${service.prepared}/mail-password";
    settings = {
      # What can be made again is cache and does not move.
      storage = {
        tmp = "${cache}/tmp/";
        cache = "${cache}/cache/";
        logs = "${cache}/logs/";
        bin = "${cache}/bin/";
      };
      object_storage = {
        enabled = true;
        inherit (bucket) endpoint region;
        # Garage has no access lists.
        upload_acl = {
          public = null;
          private = null;
        };
        web_videos = stored "web-videos";
        streaming_playlists = stored "streaming-playlists";
        original_video_files = stored "original-video-files";
        user_exports = stored "user-exports";
        captions = stored "captions";
      };
      signup.enabled = false;
      log.level = "warn";
    }
    // lib.optionalAttrs (mail.host != null) {
      smtp = {
        transport = "smtp";
        hostname = mail.host;
        port = mail.port;
        username = mail.user;
        tls = mail.port == 465;
        from_address = "videos@${config.fediversity.deployment.domain}";
      };
    };
  };

  fediversity.databases = [ "peertube" ];
  fediversity.buckets.peertube = { };

  fediversity.services.${service.key} = {
    units = [ "peertube.service" ];
    prepared = [ "peertube-init-db.service" ];
    volumes = {
      database = {
        kind = "postgres";
        database = "peertube";
      };
      videos = {
        kind = "bucket";
        inherit (bucket) bucket endpoint region;
        accessKeyIdFile = "${service.prepared}/storage-key-id";
        secretAccessKeyFile = "${service.prepared}/storage-key";
      };
      files = {
        kind = "directory";
        path = "/var/lib/peertube/storage";
        owner = "peertube";
      };
    };
    health.url = "http://127.0.0.1:${toString port}/api/v1/ping";
  };

  # The password of the account `root`, which nobody uses but the program that makes the owner's, follows from the secret.
  fediversity.secrets.peertube = {
    folder = service.secrets;
    names = [
      "password"
      "secret"
    ];
    before = [ "peertube.service" ];
    group = "peertube";
    prepare = ''
      cp "$FROM/secret" "$TO/secret"
      ${bucket.prepare}
      root=$({ printf 'root of '; cat "$FROM/secret"; } | sha256sum | cut -c 1-32)
      { cat "$TO/storage.env"; printf 'PT_INITIAL_ROOT_PASSWORD=%s\n' "$root"; } > "$TO/peertube.env"
      ${lib.optionalString (mail.passwordFile != null) ''cp ${mail.passwordFile} "$TO/mail-password"''}
      chmod -R g+rX "$TO"
    '';
  };

  fediversity.owners.peertube = {
    after = [ "peertube.service" ];
    user = "peertube";
    password = "${service.secrets}/password";
    environmentFiles = [ environment ];
    give = "${config.fediversity.nodejs}/bin/node ${./owner.mjs} ${owner}";
  };
}
