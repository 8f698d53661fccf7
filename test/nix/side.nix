# Test equipment: the real NixOps4's side of a root, from its source and nixpkgs' lib; in the shape of mk-root.nix.
# `local`: the program of its own provider `local`.
{ source, lib, local ? null }:
{
  inherit local;
  lib = import lib;
  inherit (import (source + "/nix/lib/lib.nix") {
    lib = import lib;
    self = source;
    selfWithSystem = throw "only for documentation";
  }) mkRoot;
}
