# In a virtual machine: needs KVM and nixpkgs, so CI does not run it.
# `nix build ./nix#checks.x86_64-linux.garage`
{ machine, ... }:
{
  name = "garage";

  nodes.machine = import ../../tests/plan.nix {
    inherit machine;
    memory = 1024;
    services = {
      garage = [ "media.choir.example" ];
    };
    secrets = {
      garage = [
        "rpc"
        "admin"
        "metrics"
        "key"
      ];
    };
  };

  testScript = ''
    ${builtins.readFile ../../tests/resting.py}
    settles(machine, "garage", "garage.service", "curl --fail --silent http://127.0.0.1:3903/health")
    machine.wait_for_unit("fediversity-storage.service")
    rpc = "GARAGE_RPC_SECRET_FILE=/var/lib/fediversity/secrets/test/garage/rpc"
    machine.succeed(f"{rpc} garage bucket list | grep media.choir.example")
    # A second time changes nothing.
    machine.succeed("systemctl restart fediversity-storage.service")
  '';
}
