# In a virtual machine: needs KVM and nixpkgs, so CI does not run it.
# `nix build ./nix#checks.x86_64-linux.mastodon`
{ machine, ... }:
{
  name = "mastodon";

  nodes.machine = import ../../tests/plan.nix {
    inherit machine;
    memory = 4096;
    services = {
      garage = [ "media.choir.example" ];
      mastodon = [ "social.choir.example" ];
    };
    secrets = {
      garage = [
        "rpc"
        "admin"
        "metrics"
        "key"
      ];
      mastodon = [
        "password"
        "secret-key-base"
        "vapid"
        "active-record"
      ];
    };
  };

  testScript = ''
    ${builtins.readFile ../../tests/resting.py}
    settles(machine, "mastodon", "mastodon-web.service", "curl --fail --silent https://social.choir.example/health")
    machine.wait_for_unit("fediversity-owner-mastodon.service", timeout=600)
    finger = "https://social.choir.example/.well-known/webfinger?resource=acct:alice@social.choir.example"
    machine.succeed(f"curl --fail --silent {finger} | grep alice")
    # Dumped and restored, the account is still there.
    machine.succeed("fediversity-volume dump test/mastodon database > /tmp/database")
    machine.succeed("fediversity-agent freeze test/mastodon && fediversity-volume restore test/mastodon database < /tmp/database")
    machine.succeed("fediversity-agent thaw test/mastodon")
    machine.wait_until_succeeds("curl --fail --silent https://social.choir.example/@alice.json", timeout=300)
  '';
}
