# Test equipment: a machine's or a node's configuration, evaluated with the stand-ins, or with nixpkgs' own lib, and some of its
# modules, where their paths are given.
{ nixpkgsLib ? null, nixosModules ? null }:
let
  lib = if nixpkgsLib == null then import ./lib.nix else import nixpkgsLib;

  fake = name: { inherit name; outPath = "/nix/store/${name}"; meta.mainProgram = name; type = "derivation"; };
  pkgs = {
    writeText = name: text: fake name // { inherit text; };
    writeTextDir = name: text: fake (baseNameOf name) // { inherit text; };
    symlinkJoin = { name, paths }: fake name // { inherit paths; };
    writeShellScript = name: text: fake name // { inherit text; };
    writeShellApplication = { name, text, runtimeInputs ? [ ] }: fake name // { inherit text; };
    runtimeShell = "/bin/sh";
    formats.toml = _: { type = lib.types.attrsOf lib.types.anything; generate = name: _: fake name; };
    stdenv.hostPlatform.system = "x86_64-linux";
  } // lib.genAttrs [ "coreutils" "gnutar" "sqlite" "mkpasswd" "openssl" "openssh" "garage_2" "nodejs" ] fake;

  nixos = import ./nixos.nix { inherit lib; };
  real = import ./nixos-modules.nix { inherit lib nixos fake; modules = nixosModules; };
  evaluated = modules: (lib.evalModules {
    modules = [ nixos.base ] ++ (if nixosModules == null then [ nixos.servers nixos.services ] else [ real.module ]) ++ modules;
    specialArgs.pkgs = if nixosModules == null then pkgs else pkgs // real.packages // { formats = pkgs.formats // real.formats; };
  }).config;
  # `{ "a.b" = 1; }` as `{ a.b = 1; }`.
  nested = path: value: lib.foldl' (inner: name: { ${name} = inner; }) value (lib.reverseList (lib.splitString "." path));
in
rec {
  inherit lib pkgs evaluated;

  given = settings: machine { imports = lib.mapAttrsToList nested settings; };

  machine = settings: evaluated [
    ../../nix/machine.nix
    { fediversity.package = fake "fediversity"; }
    settings
  ];

  node = settings: evaluated [
    nodeModule
    { services.fediversity = { enable = true; settings = { provider.name = "North"; web.url = "https://panel.north.example"; }; }; }
    settings
  ];

  # What a provider begins with, but for the hardware, which the template leaves to its machine.
  template = {
    panel = evaluated [ nodeModule (removeAttrs (import ../../nix/templates/provider/panel.nix { }) [ "imports" ]) ];
    common = machine { imports = [ ../../nix/templates/provider/machines/common.nix ]; };
  };

  nodeModule = import ../../nix/module.nix {
    fediversity = _: fake "fediversity";
    inputs = {
      nixpkgs = "/nix/store/nixpkgs";
      nixops4 = fake "nixops4" // { packages.x86_64-linux.default = fake "nixops4"; };
      nixops4-nixos = fake "nixops4-nixos";
    };
  };
}
