# In a virtual machine: needs KVM and nixpkgs, so CI does not run it.
# `nix build ./nix#checks.x86_64-linux.galene`
{ machine, ... }:
{
  name = "galene";

  nodes.machine = import ../../tests/plan.nix {
    inherit machine;
    memory = 1024;
    services = {
      galene = [ "meet.choir.example" ];
    };
    secrets = {
      galene = [ "password" ];
    };
  };

  testScript = ''
    ${builtins.readFile ../../tests/resting.py}
    settles(machine, "galene", "galene.service", "curl --fail --silent https://meet.choir.example/group/meeting/.status")
    machine.succeed("curl --fail --silent https://meet.choir.example/group/meeting/.status | grep choir.example")
  '';
}
