# In a virtual machine: needs KVM and nixpkgs, so CI does not run it.
# `nix build ./nix#checks.x86_64-linux.peertube`
{ machine, ... }:
{
  name = "peertube";

  nodes.machine = import ../../tests/plan.nix {
    inherit machine;
    memory = 3072;
    services = {
      garage = [ "media.choir.example" ];
      peertube = [ "videos.choir.example" ];
    };
    secrets = {
      garage = [
        "rpc"
        "admin"
        "metrics"
        "key"
      ];
      peertube = [
        "password"
        "secret"
      ];
    };
  };

  testScript = ''
    ${builtins.readFile ../../tests/resting.py}
    settles(machine, "peertube", "peertube.service", "curl --fail --silent https://videos.choir.example/api/v1/ping")
    machine.wait_for_unit("fediversity-owner-peertube.service", timeout=600)
    machine.succeed("curl --fail --silent https://videos.choir.example/api/v1/accounts/alice | grep alice")
  '';
}
