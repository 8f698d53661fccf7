# In a virtual machine: needs KVM and nixpkgs, so CI does not run it.
# `nix build ./nix#checks.x86_64-linux.pixelfed`
{ machine, ... }:
{
  name = "pixelfed";

  nodes.machine = import ../../tests/plan.nix {
    inherit machine;
    memory = 3072;
    services = {
      garage = [ "media.choir.example" ];
      pixelfed = [ "photos.choir.example" ];
    };
    secrets = {
      garage = [
        "rpc"
        "admin"
        "metrics"
        "key"
      ];
      pixelfed = [
        "password"
        "app-key"
      ];
    };
  };

  testScript = ''
    ${builtins.readFile ../../tests/resting.py}
    settles(machine, "pixelfed", "phpfpm-pixelfed.service", "curl --fail --silent https://photos.choir.example/api/nodeinfo/2.0.json")
    machine.wait_for_unit("fediversity-owner-pixelfed.service", timeout=600)
    finger = "https://photos.choir.example/.well-known/webfinger?resource=acct:alice@photos.choir.example"
    machine.succeed(f"curl --fail --silent {finger} | grep alice")
  '';
}
