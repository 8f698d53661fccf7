# Galene, see https://galene.org/galene.html: one meeting room under the customer's domain. Nothing is kept that cannot be written anew.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  service = config.fediversity.planned.galene;
  state = "/var/lib/galene";
  port = 8443;
  turn = 1194;
  # It finds addresses of this machine alone, and of these none in a private network; of IPv6 it knows nothing.
  away = config.fediversity.publicAddress;
  isTold = away != null && builtins.match ".*:.*" away == null;
  room = pkgs.writeText "room.json" (
    builtins.toJSON {
      inherit (config.fediversity.deployment) domain;
      inherit (service) origin;
      inherit (service.owner) username;
    }
  );
in
lib.mkIf (config.fediversity.planned ? galene) {
  services.galene = {
    enable = true;
    insecure = true; # nginx in front has the certificate
    httpAddress = "127.0.0.1";
    httpPort = port;
    stateDir = state;
    turnAddress = lib.mkIf isTold "${away}:${toString turn}";
  };

  services.nginx.virtualHosts.${service.host} = {
    locations."/" = {
      proxyPass = "http://127.0.0.1:${toString port}";
      proxyWebsockets = true;
      # A meeting in which nobody speaks is still a meeting.
      extraConfig = "proxy_read_timeout 1h;";
    };
  };

  # Sound and pictures that cannot go straight to a browser go through its own TURN server.
  networking.firewall = {
    allowedTCPPorts = [ turn ];
    allowedUDPPorts = [ turn ];
  };

  fediversity.services.${service.key} = {
    units = [ "galene.service" ];
    health = {
      url = "http://127.0.0.1:${toString port}/group/meeting/.status";
      inherit (service) host;
    };
  };

  fediversity.secrets.galene = {
    folder = service.secrets;
    names = [ "password" ];
    before = [ "galene.service" ];
  };

  fediversity.owners.galene = {
    before = [ "galene.service" ];
    user = "galene";
    password = "${service.secrets}/password";
    settings.StateDirectory = "fediversity-owner-galene galene galene/data galene/groups galene/recordings";
    give = "${config.fediversity.nodejs}/bin/node ${./room.mjs} ${room} ${state}";
  };
}
