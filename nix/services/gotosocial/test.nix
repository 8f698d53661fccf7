# In a virtual machine: needs KVM and nixpkgs, so CI does not run it.
# `nix build ./nix#checks.x86_64-linux.gotosocial`
{ machine, ... }:
{
  name = "gotosocial";

  nodes.machine = import ../../tests/plan.nix {
    inherit machine;
    memory = 1536;
    services = {
      gotosocial = [ "social.choir.example" ];
    };
    secrets = {
      gotosocial = [ "password" ];
    };
  };

  testScript = ''
    ${builtins.readFile ../../tests/resting.py}
    settles(machine, "gotosocial", "gotosocial.service", "curl --fail --silent https://social.choir.example/nodeinfo/2.0")
    finger = "https://social.choir.example/.well-known/webfinger?resource=acct:alice@social.choir.example"
    machine.succeed(f"curl --fail --silent {finger} | grep alice")
  '';
}
