# The node with its panel. Replace everything that is called north.example.
{ ... }:
{
  imports = [ ./panel-hardware.nix ]; # as nixos-generate-config wrote it

  networking.hostName = "panel";
  system.stateVersion = "26.05";

  services.fediversity = {
    enable = true;
    openFirewall = true;
    machines = ./machines; # what is changed there holds once the node has been switched
    settings = {
      provider.name = "North";
      web = {
        url = "https://panel.north.example";
        listen = "[::]:80"; # leads to the other
        listen_tls = "[::]:443";
      };
      # For the panel and for every customer's services whose records the node sets. By this you accept the authority's terms.
      certificates = {
        directory = "https://acme-v02.api.letsencrypt.org/directory";
        email = "hello@north.example";
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
}
