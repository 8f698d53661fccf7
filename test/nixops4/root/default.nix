# Test equipment: the real root with a stand-in for NixOps4's side, in the shape of what a provider's flake makes.
{ plan }:
let standIn = import ../../nix/mk-root.nix;
in import ../../../nix/nixops4 { inherit plan; inherit (standIn) lib mkRoot; }
