# The node, the panel and the agent. The packages come from package-lock.json, each checked by the hash that stands there; none of
# their install scripts runs, so every one of them is just unpacked where the lock says.
{
  lib,
  stdenv,
  nodejs_26,
  makeWrapper,
  openssh,
  source ? ../.,
}:
let
  lock = lib.importJSON (source + "/package-lock.json");
  about = lib.importJSON (source + "/package.json");
  nodejs = nodejs_26;

  system = {
    os = if stdenv.hostPlatform.isDarwin then "darwin" else "linux";
    cpu = if stdenv.hostPlatform.isAarch64 then "arm64" else "x64";
    libc = if stdenv.hostPlatform.isMusl then "musl" else "glibc";
  };
  # npm's own Node is not needed: nixpkgs has one.
  suits =
    path: package:
    path != ""
    && !(lib.hasPrefix "node_modules/node-" path && package ? os)
    && lib.all (key: !(package ? ${key}) || lib.elem system.${key} (lib.toList package.${key})) [
      "os"
      "cpu"
      "libc"
    ];
  wanted = lib.filterAttrs suits lock.packages;
  running = lib.filterAttrs (_: package: !(package.dev or false)) wanted;

  # `a/node_modules/@b/c` is the package @b/c, unless the lock says that it is another under this name.
  nameOf = path: package: package.name or (lib.last (lib.splitString "node_modules/" path));

  # npm knows itself where packages come from; what it brings is taken only with the hash in the lock.
  archive =
    path: package:
    stdenv.mkDerivation {
      name = "${lib.strings.sanitizeDerivationName (nameOf path package)}-${package.version}.tgz";
      outputHashMode = "flat";
      outputHash = package.integrity;
      nativeBuildInputs = [ nodejs ];
      impureEnvVars = lib.fetchers.proxyImpureEnvVars;
      preferLocalBuild = true;
      dontUnpack = true;
      buildCommand = ''
        export HOME=$TMPDIR npm_config_cache=$TMPDIR/cache npm_config_update_notifier=false
        npm pack --silent --ignore-scripts ${lib.escapeShellArg "${nameOf path package}@${package.version}"}
        mv ./*.tgz $out
      '';
    };

  unpack =
    packages:
    lib.concatStrings (
      lib.mapAttrsToList (path: package: ''
        mkdir -p ${path}
        tar -xzf ${archive path package} -C ${path} --strip-components=1 --no-same-owner --no-same-permissions
      '') packages
    );
in
stdenv.mkDerivation {
  pname = about.name;
  inherit (about) version;

  src = lib.fileset.toSource {
    root = source;
    fileset = lib.fileset.unions [
      (source + "/node")
      (source + "/protocol")
      (source + "/ui")
      (source + "/nix")
      (source + "/package.json")
      (source + "/tsconfig.json")
      (source + "/LICENSE")
    ];
  };

  nativeBuildInputs = [
    nodejs
    makeWrapper
  ];

  buildPhase = ''
    runHook preBuild
    ${unpack wanted}
    node node_modules/vite/bin/vite.js build ui
    rm -rf node_modules
    ${unpack running}
    runHook postBuild
  '';

  doCheck = true;
  checkPhase = ''
    node node/main.ts --version
  '';

  installPhase = ''
    runHook preInstall
    mkdir -p $out/lib/fediversity $out/bin
    find node protocol -name '*.test.ts' -delete
    cp -r node protocol nix node_modules dist package.json LICENSE $out/lib/fediversity/
    makeWrapper ${lib.getExe nodejs} $out/bin/fediversity \
      --add-flags $out/lib/fediversity/node/main.ts \
      --prefix PATH : ${lib.makeBinPath [ nodejs openssh ]}
    makeWrapper ${lib.getExe nodejs} $out/bin/fediversity-agent \
      --add-flags $out/lib/fediversity/node/agent/main.ts
    runHook postInstall
  '';

  passthru = {
    inherit nodejs;
    # For a test that holds this against npm's own idea of the lock.
    packages = lib.mapAttrs nameOf running;
  };

  meta = {
    inherit (about) description;
    license = lib.licenses.eupl12;
    mainProgram = "fediversity";
    platforms = lib.platforms.unix;
  };
}
