{
  description = "Our Fediversity: one node with its panel, and a pool of machines on which customers' services run";

  inputs = {
    # Where you have it from; `?dir=nix` stays.
    fediversity.url = "git+https://git.example/fediversity-node?dir=nix";
    nixpkgs.follows = "fediversity/nixpkgs";
  };

  outputs =
    { fediversity, nixpkgs, ... }:
    let
      # Every machine of the pool by the name that `fediversity machine add` gave it.
      machines = import ./machines;
    in
    {
      nixosConfigurations = {
        # The node. `nixos-rebuild switch --flake .#panel --target-host root@panel.north.example`
        panel = nixpkgs.lib.nixosSystem {
          modules = [
            fediversity.nixosModules.default
            ./panel.nix
          ];
        };
      }
      # Each machine once by hand, empty; from then on the node brings it what it needs.
      // builtins.mapAttrs (
        _: hardware:
        nixpkgs.lib.nixosSystem {
          modules = [
            fediversity.nixosModules.machine
            hardware
          ];
        }
      ) machines;
    };
}
