# Test equipment: nixpkgs' own modules of the six services, of nginx and of PostgreSQL, in place of what nixos.nix has of them;
# `modules` is its folder nixos/modules, of which no more is needed. What they set of the rest of NixOS may be anything.
{ lib, nixos, fake, modules }:
let
  inherit (nixos) optional;
  inherit (lib) types;
  # What is said by several and read by nobody here.
  unread = lib.mkOption {
    type = lib.mkOptionType { name = "anything"; merge = _: _: { }; };
    default = { };
  };
  more = lib.mkOption { type = types.attrsOf (types.submodule { freeformType = types.attrsOf types.anything; }); };
  each = options: optional
    (types.attrsOf (types.submodule ({ name, ... }: { freeformType = types.attrsOf types.anything; options = options name; })))
    { };

  postgresql = fake "postgresql" // {
    version = "17.6";
    psqlSchema = "17";
    installedExtensions = [ ];
    withJIT = postgresql;
    withoutJIT = postgresql;
    withPackages = _: postgresql;
    meta.maintainers = [ ];
  };
  nginx = fake "nginx" // { pname = "nginx"; version = "1.30.0"; modules = [ ]; override = _: nginx; };
  written = name: text: fake name // { inherit text; };
in
{
  module = { config, ... }: {
    imports = map (path: modules + "/services/${path}.nix") [
      "databases/postgresql"
      "web-apps/galene"
      "web-apps/gotosocial"
      "web-apps/mastodon"
      "web-apps/peertube"
      "web-apps/pixelfed"
      "web-servers/garage"
      "web-servers/nginx/default"
    ];

    options = {
      boot.kernelModules = unread;
      boot.kernelPackages.kernel.version = optional types.str "6.18";
      environment.pathsToLink = unread;
      ids = optional types.raw { gids = { nginx = 60; postgres = 71; }; uids = { nginx = 60; postgres = 71; }; };
      meta = unread;
      networking.enableIPv6 = optional types.bool true;
      security.acme.certs = each (name: {
        directory = optional types.str "/var/lib/acme/${name}";
        domain = optional types.str name;
      });
      security.pki.caBundle = optional types.path "/etc/ssl/certs/ca-certificates.crt";
      services = {
        logrotate.settings = unread;
        mysql = unread;
        phpfpm.pools = each (name: { socket = optional types.str "/run/phpfpm/${name}.sock"; });
        postfix = unread;
        redis.servers = each (name: { unixSocket = optional types.str "/run/redis-${name}/redis.sock"; });
      };
      system.checks = unread;
      systemd.services = more;
      systemd.targets = unread;
      users.groups = more;
      users.users = more;
      warnings = unread;
    };

    config = {
      system.stateVersion = lib.mkDefault "26.05";
      # As the modules of PHP and Redis make them, and systemd's of `startAt`.
      systemd.services = lib.mapAttrs' (name: _: lib.nameValuePair "phpfpm-${name}" { serviceConfig.ExecStart = "php-fpm"; })
        config.services.phpfpm.pools
      // lib.mapAttrs' (name: _: lib.nameValuePair "redis-${name}" { serviceConfig.ExecStart = "redis-server"; })
        config.services.redis.servers;
      users.groups = lib.mapAttrs' (name: _: lib.nameValuePair "redis-${name}" { }) config.services.redis.servers;
    };
  };

  formats = {
    json = _: { type = types.attrsOf types.anything; generate = name: _: fake name; };
    yaml = _: { type = types.attrsOf types.anything; generate = name: _: fake name; };
  };
  packages = lib.genAttrs [
    "bash"
    "ffmpeg"
    "ffmpeg-headless"
    "file"
    "gifsicle"
    "gotosocial"
    "jemalloc"
    "jpegoptim"
    "mailcap"
    "mariadb"
    "mastodon"
    "optipng"
    "pngquant"
    "python3"
    "rsync"
    "yarn"
  ] fake // {
    inherit postgresql;
    galene = fake "galene" // { static = fake "galene-static"; };
    nginxStable = nginx;
    peertube = fake "peertube" // { cli = fake "peertube-cli"; nodejs = fake "nodejs"; };
    php83 = fake "php" // { buildEnv = _: fake "php"; };
    pixelfed = fake "pixelfed" // { override = _: fake "pixelfed"; };
    postgresql_17 = postgresql;
    runCommand = name: _: _: fake name;
    stdenv = rec { hostPlatform.system = "x86_64-linux"; buildPlatform = hostPlatform; };
    writeScriptBin = written;
    writers = { writeNginxConfig = written; writePython3 = name: _: _: fake name; };
    writeShellScriptBin = written;
  };
}
