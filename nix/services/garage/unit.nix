# How Garage runs here: as a user of its own, whose files a move can name, and with its secrets as credentials.
{ lib, folder }:
let
  secrets = {
    rpc = "GARAGE_RPC_SECRET_FILE";
    admin = "GARAGE_ADMIN_TOKEN_FILE";
    metrics = "GARAGE_METRICS_TOKEN_FILE";
  };
in
{
  environment = lib.mapAttrs' (name: variable: lib.nameValuePair variable "%d/${name}") secrets;
  serviceConfig = {
    DynamicUser = false;
    User = "garage";
    Group = "garage";
    LoadCredential = lib.mapAttrsToList (name: _: "${name}:${folder}/${name}") secrets;
    LimitNOFILE = lib.mkDefault 42000; # as Garage's handbook has it, and nixpkgs' module since 2026
    TimeoutStopSec = 30;
  };
}
