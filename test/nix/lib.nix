# Test equipment: a stand-in for the part of nixpkgs' lib that our modules use, since a clean checkout has no nixpkgs. Modules are
# merged and checked strictly: an option that nobody declares, a value that its type refuses or that two say differently is an
# error. test/nix/modules.test.ts compares it with the real lib where that is given (NIXPKGS=/path).
let
  inherit (builtins)
    all
    attrNames
    concatMap
    elem
    elemAt
    filter
    foldl'
    genList
    hasAttr
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    map
    mapAttrs
    match
    removeAttrs
    replaceStrings
    stringLength
    substring
    tail
    toJSON
    ;

  at = path: builtins.concatStringsSep "." path;
  told = value: if isAttrs value then "a set" else if isFunction value then "a function" else toJSON value;

  # ---- attribute sets, lists and texts
  nameValuePair = name: value: { inherit name value; };
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
  filterAttrs = keep: set:
    listToAttrs (concatMap (n: if keep n set.${n} then [ (nameValuePair n set.${n}) ] else [ ]) (attrNames set));
  unique = foldl' (seen: one: if elem one seen then seen else seen ++ [ one ]) [ ];
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix = suffix: text:
    stringLength text >= stringLength suffix && substring (stringLength text - stringLength suffix) (-1) text == suffix;
  escapeShellArg = value: let text = toString value; in
    if match "[A-Za-z0-9,._+:@%/-]+" text != null then text else "'${replaceStrings [ "'" ] [ "'\\''" ] text}'";
  flatten = value: if isList value then concatMap flatten value else [ value ];
  optionalString = condition: text: if condition then text else "";

  # ---- definitions: conditions and priorities taken away
  isKind = kind: value: isAttrs value && value._type or null == kind;
  discharged = definition:
    if isKind "merge" definition then concatMap discharged definition.contents
    else if isKind "if" definition then (if definition.condition then discharged definition.content else [ ])
    else [ definition ];
  # Conditions on a whole set become conditions on what is in it, so that its names depend on nothing.
  pushed = definition:
    if isKind "merge" definition then concatMap pushed definition.contents
    else if isKind "if" definition
    then map (mapAttrs (_: content: { _type = "if"; inherit (definition) condition; inherit content; })) (pushed definition.content)
    else if isKind "override" definition
    then map (mapAttrs (_: mkOverride definition.priority)) (pushed definition.content)
    else [ definition ];
  priorityOf = definition: if isKind "override" definition then definition.priority else 100;
  strongest = definitions:
    let
      least = foldl' (a: b: if priorityOf b < a then priorityOf b else a) 10000 definitions;
      bare = one: if isKind "override" one then one.content else one;
    in
    map bare (filter (one: priorityOf one == least) definitions);

  # ---- types: { name, merge = path: definitions: value }
  scalar = name: check: {
    inherit name;
    merge = path: definitions:
      if !(all check definitions)
      then throw "A definition for option `${at path}' is not of type `${name}': ${told (head (filter (one: !(check one)) definitions))}"
      else if length (unique definitions) > 1 then throw "The option `${at path}' has conflicting definition values"
      else head definitions;
  };
  between = low: high: scalar "integer between ${toString low} and ${toString high}" (v: isInt v && v >= low && v <= high);
  isPathLike = value: isPath value || (isString value && hasPrefix "/" value) || (isAttrs value && value ? outPath);

  types = rec {
    str = scalar "string" isString;
    lines = { name = "lines"; merge = path: definitions: builtins.concatStringsSep "\n" (map (one: str.merge path [ one ]) definitions); };
    bool = scalar "boolean" isBool;
    int = scalar "signed integer" isInt;
    port = between 0 65535;
    ints = { inherit between; positive = between 1 9999999999; };
    path = scalar "path" isPathLike;
    package = scalar "package" (value: isAttrs value && value ? outPath || isString value && hasPrefix "/nix/store/" value);
    raw = scalar "raw value" (_: true);
    enum = values: scalar "one of ${toJSON values}" (value: elem value values);
    strMatching = pattern: scalar "string matching the pattern ${pattern}" (value: isString value && match pattern value != null);
    nullOr = one: {
      name = "null or ${one.name}";
      merge = path: definitions:
        if all isNull definitions then null
        else if elem null (filter isNull definitions) then throw "The option `${at path}' is defined both null and not null"
        else one.merge path definitions;
    };
    listOf = one: rec {
      name = "list of ${one.name}";
      merge = path: definitions: concatMap
        (list:
          if !(isList list) then throw "A definition for option `${at path}' is not of type `list of ${one.name}': ${told list}"
          else concatMap (value: entry path (strongest (discharged value))) list)
        definitions;
      entry = path: values: if values == [ ] then [ ] else [ (one.merge (path ++ [ "*" ]) values) ];
    };
    nonEmptyListOf = one: {
      name = "non-empty list of ${one.name}";
      merge = path: definitions:
        let list = (listOf one).merge path definitions; in if list == [ ] then throw "The option `${at path}' is empty" else list;
    };
    attrsOf = one: {
      name = "attribute set of ${one.name}";
      merge = path: definitions:
        if !(all isAttrs definitions) then throw "A definition for option `${at path}' is not of type `attribute set of ${one.name}'"
        else
          let valuesOf = name: strongest (concatMap (set: if set ? ${name} then discharged set.${name} else [ ]) definitions);
          in mapAttrs (name: values: one.merge (path ++ [ name ]) values)
            (filterAttrs (_: values: values != [ ]) (mapAttrs (name: _: valuesOf name) (foldl' (a: b: a // b) { } definitions)));
    };
    anything = {
      name = "anything";
      merge = path: definitions:
        if all (one: isAttrs one && !(one ? outPath)) definitions then (attrsOf anything).merge path definitions
        else if all isList definitions then builtins.concatLists definitions
        else raw.merge path definitions;
    };
    attrs = attrsOf anything;
    submodule = module: {
      name = "submodule";
      merge = path: definitions: removeAttrs (evaluated {
        prefix = path;
        modules = flatten [ module ] ++ map (config: { _file = at path; inherit config; }) definitions;
        specialArgs.name = elemAt path (length path - 1);
      }).config [ "_module" ];
    };
  };
  isNull = value: value == null;

  # ---- modules
  evaluated = { modules, specialArgs ? { }, prefix ? [ ] }:
    let
      args = specialArgs // { inherit lib config; options = { }; };
      loaded = concatMap (load args config) modules;
      declared = foldl' (merged prefix) { } (map (module: module.options or { }) loaded)
        // { _module.args = mkOption { type = types.attrsOf types.raw; default = { }; }; };
      freeform = head (concatMap (module: if module ? freeformType then [ module.freeformType ] else [ ]) loaded ++ [ null ]);
      definitions = concatMap (module: pushed (configOf module)) loaded;
      config = valued prefix freeform declared definitions;
    in
    { inherit config; };

  # Arguments are looked up only when they are used, so that one may depend on the configuration.
  load = args: config: module:
    let
      value = if isPath module || isString module then import module else module;
      given = mapAttrs (name: _: args.${name} or config._module.args.${name})
        (builtins.functionArgs value);
      set = if isFunction value then value (args // given) else value;
      self = if isKind "if" set || isKind "merge" set then { config = set; } else set;
    in
    concatMap (load args config) (self.imports or [ ]) ++ [ self ];

  configOf = module:
    if module ? config || module ? options
    then module.config or { }
    else removeAttrs module [ "imports" "_file" "freeformType" ];

  isOption = value: isKind "option" value;
  merged = path: a: b: a // mapAttrs
    (name: value:
      if !(a ? ${name}) then value
      else if isOption value || isOption a.${name} then throw "The option `${at (path ++ [ name ])}' is declared twice"
      else merged (path ++ [ name ]) a.${name} value)
    b;

  valued = path: freeform: declared: definitions:
    let
      given = take: name: concatMap (set: if set ? ${name} then take set.${name} else [ ]) definitions;
      own = mapAttrs
        (name: option:
          if isOption option
          then optionValue (path ++ [ name ]) option (given discharged name)
          else valued (path ++ [ name ]) freeform option (given pushed name))
        declared;
      others = filter (name: !(declared ? ${name})) (unique (concatMap attrNames definitions));
      free = freeform.merge path (map (filterAttrs (name: _: elem name others)) definitions);
    in
    if others == [ ] then own
    else if freeform != null then free // own
    else throw "The option `${at (path ++ [ (head others) ])}' does not exist";

  optionValue = path: option: definitions:
    let
      all' = definitions ++ (if option ? default then [ (mkOverride 1500 option.default) ] else [ ]);
      values = strongest all';
    in
    if (option.readOnly or false) && length definitions > (if option ? default then 0 else 1)
    then throw "The option `${at path}' is read-only, but it is set"
    else if values == [ ] && (option.type.name or "") == "submodule" then option.type.merge path [ ]
    else if values == [ ] then throw "The option `${at path}' was accessed but has no value defined"
    else (option.type or types.raw).merge path values;

  mkOption = option: { _type = "option"; } // option;
  mkOverride = priority: content: { _type = "override"; inherit priority content; };

  lib = {
    inherit types mkOption mkOverride nameValuePair mapAttrsToList mapAttrs' filterAttrs unique hasPrefix hasSuffix flatten optionalString
      escapeShellArg elem filter genList head listToAttrs mapAttrs attrNames tail all;
    inherit (builtins) concatStringsSep;
    evalModules = { modules, specialArgs ? { } }: evaluated { inherit modules specialArgs; };
    mkIf = condition: content: { _type = "if"; inherit condition content; };
    mkMerge = contents: { _type = "merge"; inherit contents; };
    mkDefault = mkOverride 1000;
    mkForce = mkOverride 50;
    mkEnableOption = what: mkOption { type = types.bool; default = false; description = "Whether to enable ${what}."; };
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: list: if condition then list else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    concatMapStrings = f: list: builtins.concatStringsSep "" (map f list);
    concatStrings = builtins.concatStringsSep "";
    escapeShellArgs = list: builtins.concatStringsSep " " (map escapeShellArg list);
    removeSuffix = suffix: text: if hasSuffix suffix text then substring 0 (stringLength text - stringLength suffix) text else text;
    removePrefix = prefix: text: if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
    hasInfix = infix: text: replaceStrings [ infix ] [ "" ] text != text;
    splitString = by: text: filter isString (builtins.split (replaceStrings [ "." ] [ "\\." ] by) text);
    last = list: elemAt list (length list - 1);
    toInt = text: builtins.fromJSON text;
    foldl' = foldl';
    reverseList = list: genList (i: elemAt list (length list - 1 - i)) (length list);
    toList = value: if isList value then value else [ value ];
    genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
    getExe = package: "${package}/bin/${package.meta.mainProgram or package.name}";
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    strings.sanitizeDerivationName = replaceStrings [ "@" "/" ] [ "-" "-" ];
    fetchers.proxyImpureEnvVars = [ ];
    licenses.eupl12 = "EUPL-1.2";
    platforms.unix = [ ];
    fileset = { toSource = { root, ... }: root; unions = list: list; };
    makeBinPath = list: builtins.concatStringsSep ":" (map (one: "${one}/bin") list);
  };
in
lib
