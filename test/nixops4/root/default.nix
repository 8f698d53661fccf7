# Test equipment: the real root with a stand-in for NixOps4's side, or with another one, in the shape of what a provider's
# flake makes.
{ plan, side ? import ../../nix/mk-root.nix }:
import ../../../nix/nixops4 { inherit plan; inherit (side) lib mkRoot; }
