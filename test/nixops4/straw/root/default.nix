# Test equipment: the real root with a stand-in for NixOps4's side, or with another one, and a system of straw in the
# place of NixOS.
{ plan, side ? import ../../../nix/mk-root.nix }:
let data = builtins.fromJSON (builtins.readFile plan);
in
assert data.version == 1;
side.mkRoot {
  modules = [
    (import ../../../../nix/nixops4/deployment.nix {
      inherit (side) lib;
      inherit data;
      system = import ./system.nix { inherit data; inherit (side) lib; local = side.local or null; };
    })
  ];
}
