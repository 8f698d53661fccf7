# nginx in front of all services, with certificates by ACME.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.fediversity;
  secured = lib.filterAttrs (_: service: service.tls) cfg.planned;
  any = cfg.planned != { };
in
{
  options.fediversity.inside = mkOption {
    type = types.str;
    readOnly = true;
    internal = true;
    default = "http://127.0.0.1:55080";
    description = "Where the agent asks services by their host names, through nginx, as everybody does.";
  };

  options.fediversity.certificates = {
    email = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Where the certificate authority may write to.";
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

  config = lib.mkIf any {
    assertions = [
      {
        assertion = secured == { } || (cfg.certificates.acceptTerms && cfg.certificates.email != null);
        message = "fediversity.certificates: set email and acceptTerms, or the services cannot have certificates.";
      }
    ];

    services.nginx = {
      enable = true;
      recommendedProxySettings = true;
      recommendedTlsSettings = true;
      recommendedOptimisation = true;
      recommendedGzipSettings = true;
      # Who asks for a host that is not here learns nothing of those that are.
      virtualHosts."_" = {
        default = true;
        rejectSSL = secured != { };
        locations."/".return = "404";
      };
      virtualHosts.inside = {
        listen = [
          {
            addr = "127.0.0.1";
            port = 55080;
          }
        ];
        locations."/" = {
          proxyPass = if secured == { } then "http://127.0.0.1:80" else "https://127.0.0.1:443";
          extraConfig = ''
            proxy_ssl_server_name on;
            proxy_ssl_name $host;
          '';
        };
      };
    };

    security.acme = lib.mkIf (secured != { }) {
      inherit (cfg.certificates) acceptTerms;
      defaults = {
        inherit (cfg.certificates) email;
      }
      // lib.optionalAttrs (cfg.certificates.directory != null) { server = cfg.certificates.directory; };
    };

    networking.firewall.allowedTCPPorts = [
      80
      443
    ];
  };
}
