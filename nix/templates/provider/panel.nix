# The node with its panel. Replace everything that is called north.example.
{ ... }:
{
  imports = [ ./panel-hardware.nix ]; # as nixos-generate-config wrote it

  networking.hostName = "panel";
  system.stateVersion = "26.05";

  services.fediversity = {
    enable = true;
    machines = ./machines;
    settings = {
      provider.name = "North";
      web = {
        url = "https://panel.north.example";
        trust_proxy = true;
      };
      # In this zone the node sets records itself.
      zone = {
        name = "north.example";
        server = "192.0.2.53:53";
      };
      mail = {
        server = "smtps://node@mail.north.example:465";
        from = "hello@north.example";
      };
      engine.kind = "nixops4";
    };
    secrets = {
      zoneKeyFile = "/var/lib/secrets/zone-key";
      mailPasswordFile = "/var/lib/secrets/mail-password";
    };
  };

  # The panel's own host name, by TLS.
  services.nginx = {
    enable = true;
    recommendedProxySettings = true;
    recommendedTlsSettings = true;
    virtualHosts."panel.north.example" = {
      enableACME = true;
      forceSSL = true;
      locations."/" = {
        proxyPass = "http://127.0.0.1:8080";
        proxyWebsockets = true;
        # Pieces of a deployment that moves come as one long stream.
        extraConfig = ''
          proxy_buffering off;
          proxy_request_buffering off;
          proxy_read_timeout 1h;
          client_max_body_size 0;
        '';
      };
    };
  };
  security.acme = {
    acceptTerms = true; # read your authority's terms first
    defaults.email = "hello@north.example";
  };
  networking.firewall.allowedTCPPorts = [
    80
    443
  ];
}
