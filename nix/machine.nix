# A machine of a provider's pool: everything that a deployment on it can be made of. Import this beside what describes the
# hardware; `fediversity.deployment` says what to run.
{ lib, ... }:
{
  imports = [
    ./access.nix
    ./databases.nix
    ./deployment.nix
    ./mail.nix
    ./owners.nix
    ./secrets.nix
    ./storage.nix
    ./volumes.nix
    ./web.nix
    ./services/galene
    ./services/garage
    ./services/gotosocial
    ./services/mastodon
    ./services/peertube
    ./services/pixelfed
  ];

  config.networking.firewall.enable = lib.mkDefault true;
}
