{
  description = "Fediversity Node: deploy Fediverse services with one click, and move them to another provider";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    nixops4.url = "github:nixops4/nixops4";
    nixops4-nixos.url = "github:nixops4/nixops4-nixos";
  };

  outputs =
    { self, nixpkgs, ... }@inputs:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      each = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      fediversity = pkgs: pkgs.callPackage ./package.nix { };

      # A machine of the pool brings the same version of the agent as the node that calls it.
      machine =
        { pkgs, lib, ... }:
        {
          imports = [ ./machine.nix ];
          fediversity.package = lib.mkDefault (fediversity pkgs);
        };
      services = [
        "galene"
        "garage"
        "gotosocial"
        "mastodon"
        "peertube"
        "pixelfed"
      ];
      # These take minutes and need KVM; they run on a provider's or maintainer's machine.
      tests = lib.genAttrs services (name: ./services/${name}/test.nix) // {
        two-providers = ./tests/two-providers.nix;
      };
    in
    {
      packages = each (pkgs: {
        default = fediversity pkgs;
      });

      apps = each (pkgs: {
        default = {
          type = "app";
          program = lib.getExe (fediversity pkgs);
          meta.description = "The node's command line";
        };
      });

      nixosModules = {
        default = import ./module.nix { inherit fediversity inputs; };
        inherit machine;
        volumes = ./volumes.nix;
        # One of them alone, for those who put a machine together by hand.
        services = lib.genAttrs services (name: ./services/${name});
      };

      # The root of every deployment, for a provider's own wrapper.
      lib.root = import ./nixops4;

      templates.default = {
        path = ./templates/provider;
        description = "A provider's own flake: a node with its panel, and a pool of machines";
      };

      checks = each (
        pkgs:
        lib.mapAttrs (
          _: test:
          pkgs.testers.runNixOSTest {
            imports = [ test ];
            _module.args = {
              inherit machine inputs;
              node = self.nixosModules.default;
            };
          }
        ) tests
        // {
          package = fediversity pkgs;
        }
      );

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.nodejs_26
            pkgs.openssh
            pkgs.postgresql
            pkgs.knot-dns
          ];
        };
      });

      formatter = each (pkgs: pkgs.nixfmt-tree);
    };
}
