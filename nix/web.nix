# nginx in front of all services. Where the machine has certificates of its own, people reach it directly. Otherwise TLS ends at the
# node's gateway, which comes by plain HTTP, over a network that you trust; services behind nginx are spoken to by TLS all the same,
# with a certificate that nobody checks, so that they see the same scheme as people do.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.fediversity;
  services = builtins.attrValues cfg.planned;
  isSecure = builtins.any (service: service.tls) services;
  isDirect = cfg.certificates.email != null;
  certificate = "/var/lib/fediversity-certificate";

  own = {
    enableACME = true;
    forceSSL = true;
  };
  behindGateway = {
    enableACME = false;
    forceSSL = false;
    onlySSL = true;
    sslCertificate = "${certificate}/cert.pem";
    sslCertificateKey = "${certificate}/key.pem";
    listen = [
      {
        addr = "127.0.0.1";
        port = 443;
        ssl = true;
      }
    ];
  };
  bare = {
    enableACME = false;
    forceSSL = false;
  };
  frontOf =
    _: service:
    (if !service.tls then bare else if isDirect then own else behindGateway)
    // {
      serverAliases = builtins.tail service.hosts;
    };

  throughSecure = {
    proxyPass = "https://127.0.0.1:443";
    proxyWebsockets = true;
    extraConfig = ''
      proxy_ssl_server_name on;
      proxy_ssl_name $host;
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1h;
      client_max_body_size 0;
    '';
  };
  at = addr: port: { inherit addr port; };
in
{
  options.fediversity = {
    certificates = {
      email = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Where the authority may write to, if this machine gets certificates itself; null: TLS ends at the gateway.";
      };
      acceptTerms = mkOption {
        type = types.bool;
        default = false;
        description = "Whether you accept the authority's terms.";
      };
      directory = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "ACME directory; null: the one of nixpkgs.";
      };
    };

    gateway.addresses = mkOption {
      type = types.listOf (types.strMatching "[0-9a-fA-F.:/]+");
      default = [ ];
      description = ''
        Where the node's gateway comes from: it is believed for whom it asks, and nobody else may come by HTTP. Empty: anybody may.
      '';
    };

    front = mkOption {
      type = types.attrsOf types.raw;
      readOnly = true;
      internal = true;
      default = lib.mapAttrs frontOf cfg.planned;
      description = "How nginx listens for each service: the part of its virtual host that is the same for all.";
    };

    inside = mkOption {
      type = types.str;
      readOnly = true;
      internal = true;
      default = "http://127.0.0.1:55080";
      description = "Where the agent asks services by their host names, through nginx, as everybody does.";
    };
  };

  config = lib.mkIf (services != [ ]) {
    assertions = [
      {
        assertion = !isDirect || cfg.certificates.acceptTerms;
        message = "fediversity.certificates.acceptTerms: read the authority's terms, and set it.";
      }
    ];

    services.nginx = {
      enable = true;
      recommendedProxySettings = true;
      recommendedTlsSettings = true;
      recommendedOptimisation = true;
      recommendedGzipSettings = true;
      serverNamesHashBucketSize = 512; # a name may have 253 letters; with 64, as it is else, 47 are too many to start
      commonHttpConfig = ''
        ${lib.concatMapStrings (address: "set_real_ip_from ${address};\n") ([ "127.0.0.1" ] ++ cfg.gateway.addresses)}
        real_ip_header X-Forwarded-For;
        real_ip_recursive on;
        geo $realip_remote_addr $comes_from_gateway {
          default ${if cfg.gateway.addresses == [ ] then "1" else "0"};
          127.0.0.0/8 1;
          ${lib.concatMapStrings (address: "${address} 1;\n") cfg.gateway.addresses}
        }
      '';
      virtualHosts =
        # nixpkgs' module of Pixelfed makes its virtual host of one that it is given; whatever is said of it here contradicts that.
        lib.mapAttrs' (name: lib.nameValuePair cfg.planned.${name}.host) (removeAttrs cfg.front [ "pixelfed" ])
        // {
          inside = {
            listen = [ (at "127.0.0.1" 55080) ];
            locations."/" = if isSecure then throughSecure else { proxyPass = "http://127.0.0.1:80"; };
          };
        }
        // lib.optionalAttrs (isSecure && !isDirect) {
          front = {
            default = true;
            listen = [
              (at "0.0.0.0" 80)
              (at "[::]" 80)
            ];
            locations."/" = throughSecure;
            extraConfig = "if ($comes_from_gateway = 0) { return 403; }";
          };
          # Who asks for a host that is not here learns nothing of those that are.
          "_" = behindGateway // {
            default = true;
            locations."/".return = "404";
          };
        }
        // lib.optionalAttrs (!isSecure || isDirect) {
          "_" = {
            default = true;
            rejectSSL = isSecure;
            locations."/".return = "404";
          };
        };
    };

    systemd.services.fediversity-certificate = lib.mkIf (isSecure && !isDirect) {
      description = "Certificate between nginx and itself";
      before = [ "nginx.service" ];
      requiredBy = [ "nginx.service" ];
      path = [ pkgs.openssl ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        User = "nginx";
        Group = "nginx";
        StateDirectory = "fediversity-certificate";
        StateDirectoryMode = "0700";
        UMask = "0077";
      };
      script = ''
        if [ -s ${certificate}/cert.pem ]; then exit 0; fi
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=inside \
          -keyout ${certificate}/key.pem -out ${certificate}/new.pem
        mv ${certificate}/new.pem ${certificate}/cert.pem
      '';
    };

    security.acme = lib.mkIf (isSecure && isDirect) {
      inherit (cfg.certificates) acceptTerms;
      defaults = {
        inherit (cfg.certificates) email;
      }
      // lib.optionalAttrs (cfg.certificates.directory != null) { server = cfg.certificates.directory; };
    };

    networking.firewall.allowedTCPPorts = [ 80 ] ++ lib.optional (isSecure && isDirect) 443;
  };
}
