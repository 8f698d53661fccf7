# Test equipment: the real root with a stand-in for NixOps4's side, and a system of straw in the place of NixOS.
{ plan }:
let
  standIn = import ../../../nix/mk-root.nix;
  data = builtins.fromJSON (builtins.readFile plan);
in
assert data.version == 1;
standIn.mkRoot {
  modules = [
    (import ../../../../nix/nixops4/deployment.nix {
      inherit (standIn) lib;
      inherit data;
      system = import ./system.nix { inherit data; inherit (standIn) lib; };
    })
  ];
}
