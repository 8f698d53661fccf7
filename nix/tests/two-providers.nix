# Both stories at two providers in virtual machines: a customer deploys GoToSocial at North with one click, and moves it to South.
# Needs KVM, nixpkgs and half an hour, so CI does not run it: `nix build ./nix#checks.x86_64-linux.two-providers`.
# No certificate authority is reachable here, so services are reached by plain HTTP.
{
  machine,
  node,
  inputs,
  ...
}:
let
  tsigKey = "Zm9yIGEgdGVzdCBpbiB2aXJ0dWFsIG1hY2hpbmVzLCBubyBzZWNyZXQ="; # worthless outside of this test
  domain = "choir.zone.test";

  # nixpkgs' own, which everybody knows.
  keysOf = pkgs: import "${inputs.nixpkgs}/nixos/tests/ssh-keys.nix" pkgs;

  # What every machine of the pool is, whatever runs on it; also what the node evaluates for it.
  hardware = pkgs: ''
    { modulesPath, ... }:
    {
      imports = [
        "''${modulesPath}/virtualisation/qemu-vm.nix"
        "''${modulesPath}/testing/test-instrumentation.nix"
      ];
      virtualisation = {
        memorySize = 2048;
        diskSize = 8192;
      };
      fediversity.access.deployKeys = [ "${(keysOf pkgs).snakeOilEd25519PublicKey}" ];
    }
  '';

  pool =
    { pkgs, ... }:
    {
      imports = [ machine ];
      virtualisation = {
        memorySize = 2048;
        diskSize = 8192;
      };
      fediversity.access.deployKeys = [ (keysOf pkgs).snakeOilEd25519PublicKey ];
    };

  provider =
    name:
    { pkgs, lib, ... }:
    {
      imports = [ node ];
      virtualisation = {
        memorySize = 4096;
        diskSize = 16384;
        writableStore = true;
      };
      # Everything from which the node builds a machine's system without a network.
      system.extraDependencies = [
        inputs.nixpkgs
        inputs.nixops4
        inputs.nixops4-nixos
        pkgs.gotosocial
      ];
      environment.etc = {
        "secrets/zone-key".text = tsigKey;
        "secrets/ssh-key".source = (keysOf pkgs).snakeOilEd25519PrivateKey;
      };
      networking.firewall.allowedTCPPorts = [ 80 ];
      services.fediversity = {
        enable = true;
        machines = pkgs.writeText "machines.nix" "{ ${name}-1 = ${hardware pkgs}; }";
        settings = {
          provider.name = name;
          web = {
            url = "http://${name}.zone.test";
            listen = "0.0.0.0:80";
          };
          services.origin = "http://{host}";
          zone = {
            name = "zone.test";
            server = "zone:53";
            key_name = "test";
          };
          engine.kind = "nixops4";
        };
        secrets = {
          zoneKeyFile = "/etc/secrets/zone-key";
          sshKeyFile = "/etc/secrets/ssh-key";
        };
      };
    };
in
{
  name = "two-providers";

  nodes = {
    zone =
      { nodes, ... }:
      {
        networking.firewall.allowedTCPPorts = [ 53 ];
        networking.firewall.allowedUDPPorts = [ 53 ];
        services.knot = {
          enable = true;
          settings = {
            server.listen = [ "0.0.0.0@53" ];
            key.test = {
              algorithm = "hmac-sha256";
              secret = tsigKey;
            };
            acl.update = {
              key = "test";
              action = "update";
            };
            zone."zone.test" = {
              acl = "update";
              storage = "/var/lib/knot";
              file = builtins.toFile "zone.test" ''
                @ SOA ns.zone.test. nobody.zone.test. 1 60 60 3600 5
                @ NS ns
                ns A ${nodes.zone.networking.primaryIPAddress}
                north A ${nodes.north.networking.primaryIPAddress}
                south A ${nodes.south.networking.primaryIPAddress}
              '';
            };
          };
        };
      };
    north = provider "north";
    south = provider "south";
    m1 = pool;
    m2 = pool;
    customer =
      { pkgs, ... }:
      {
        environment.systemPackages = [ pkgs.nodejs_26 ];
      };
  };

  testScript =
    { nodes, ... }:
    let
      package = nodes.north.services.fediversity.package;
    in
    ''
      story = "node ${./story.mjs} ${package}/lib/fediversity/protocol/client.ts"
      address = {"m1": "${nodes.m1.networking.primaryIPAddress}", "m2": "${nodes.m2.networking.primaryIPAddress}"}
      start_all()
      zone.wait_for_unit("knot.service")
      for machine in [north, south, customer]:
          machine.succeed("echo nameserver ${nodes.zone.networking.primaryIPAddress} > /etc/resolv.conf")

      vouchers = {}
      for provider, machine, name in [(north, m1, "north-1"), (south, m2, "south-1")]:
          provider.wait_for_unit("fediversity.service")
          machine.wait_for_unit("sshd.service")
          host = machine.succeed("cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub").strip()
          size = "--memory-mib 2048 --disk-gib 8"
          provider.succeed(f"fediversity machine add {name} {address[machine.name]} {size} --host-key '{host}' --yes")
          provider.succeed(f"fediversity machine check {name}")
          vouchers[name] = provider.succeed("fediversity voucher create --json | grep -o '\"code\": *\"[^\"]*' | cut -d'\"' -f4").strip()

      with subtest("Story 1: one click deploys"):
          customer.succeed(f"{story} deploy http://north.zone.test {vouchers['north-1']} ${domain} gotosocial")
          customer.succeed("curl --fail --silent http://social.${domain}/nodeinfo/2.0 | grep gotosocial")

      with subtest("Story 2: it moves to another provider"):
          before = customer.succeed("curl --fail --silent http://social.${domain}/.well-known/webfinger?resource=acct:ada@social.${domain}")
          customer.succeed(f"{story} move http://north.zone.test http://south.zone.test {vouchers['south-1']} ${domain}")
          after = customer.succeed("curl --fail --silent http://social.${domain}/.well-known/webfinger?resource=acct:ada@social.${domain}")
          assert before == after
          m1.fail("systemctl is-active gotosocial.service")
          m2.succeed("systemctl is-active gotosocial.service")
    '';
}
