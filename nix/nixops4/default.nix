# The root of every deployment, always this one. What differs stands in plan.json (protocol/nixops4/plan.ts), which is
# read as data: nothing that a customer or another node has written is ever evaluated.
#
# A provider's flake gives nixpkgs, nixops4 and nixops4-nixos; without nixpkgs there is no member `system`, which is how
# tests read the rest. The node calls it from `<state>/nixops4/<deployment>/nixops4.nix`.
{
  plan,
  # Flakes, or attribute sets like them.
  nixpkgs ? null,
  nixops4 ? null,
  nixops4-nixos ? null,
  lib ? nixpkgs.lib,
  mkRoot ? (import (nixops4 + "/nix/lib/lib.nix") {
    inherit lib;
    self = nixops4;
    selfWithSystem = nixops4.selfWithSystem or (throw "only for documentation");
  }).mkRoot,
  # By their names in the pool, what describes each machine's hardware: NixOS modules.
  machines ? { },
}:
let
  data = builtins.fromJSON (builtins.readFile plan);
  isWhole = nixpkgs != null && nixops4-nixos != null;
in
assert data.version == 1;
mkRoot {
  modules = [
    (import ./deployment.nix {
      inherit lib data;
      system =
        if isWhole
        then import ./system.nix { inherit nixpkgs nixops4 nixops4-nixos machines data; }
        else null;
    })
  ];
}
