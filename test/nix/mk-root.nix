# Test equipment: a stand-in for NixOps4's mkRoot and the little of nixpkgs' lib that our root uses, for machines that have
# neither. It gives the same export tree; that it does is compared with the real one where that is at hand.
rec {
  lib = {
    attrValues = builtins.attrValues;
    genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
    mkOption = option: option // { _type = "option"; };
    types = rec {
      str = { name = "string"; check = builtins.isString; };
      int = { name = "signed integer"; check = builtins.isInt; };
      bool = { name = "boolean"; check = builtins.isBool; };
      enum = values: { name = "one of ${toString values}"; check = value: builtins.elem value values; };
      listOf = one: { name = "list of ${one.name}"; check = value: builtins.isList value && builtins.all one.check value; };
      nullOr = one: { name = "null or ${one.name}"; check = value: value == null || one.check value; };
    };
  };

  mkRoot = { modules, ... }: {
    _type = "nixops4Component";
    rootFunction = { outputValues, ... }: composite [ ] (builtins.head modules) outputValues { };
  };

  called = module: arguments: if builtins.isFunction module then module arguments else module;
  isResource = module: module ? type;

  # The export of a composite. `above` is what a function among its members may ask for besides its own.
  composite = path: module: outputValues: above:
    let
      self = called module ({ inherit lib; members = seen; providers = builtins.mapAttrs provider (self.providers or { }); } // above);
      exported = builtins.mapAttrs
        (name: member:
          if isResource member
          then resource (path ++ [ name ]) member
          else composite (path ++ [ name ]) member (outputValues.${name} or { }) { })
        (self.members or { });
      seen = view path (self.members or { }) outputValues;
    in
    { members = exported; };

  # What an expression sees of members: outputs that are known already, and paths.
  view = path: members: outputValues: builtins.mapAttrs
    (name: member:
      if isResource member
      then {
        absoluteMemberPath = path ++ [ name ];
        outputs = builtins.mapAttrs
          (output: option: checked "members.${builtins.concatStringsSep "." (path ++ [ name ])}.outputs.${output}" option
            (outputValues.${name}.${output}))
          member.type.outputs.options;
      }
      else { members = view (path ++ [ name ]) (member.members or { }) (outputValues.${name} or { }); })
    members;

  provider = _: { executable, args ? [ ], resourceTypes, ... }: builtins.mapAttrs
    (name: type: type // { inherit name; provider = { type = "stdio"; inherit executable args; }; })
    resourceTypes;

  resource = path: { type, inputs ? { }, state ? null, ... }:
    let
      at = builtins.concatStringsSep "." path;
      unknown = builtins.attrNames (builtins.removeAttrs inputs (builtins.attrNames type.inputs.options));
      input = name: option: checked "members.${at}.inputs.${name}" option
        (inputs.${name} or option.default or (throw "The option `members.${at}.inputs.${name}' was accessed but has no value defined."));
    in
    if unknown != [ ] then throw "The option `members.${at}.inputs.${builtins.head unknown}' does not exist."
    else if type.requireState && state == null then throw "members.${at}.state has not been defined"
    else {
      resource = {
        inherit (type) provider;
        type = type.name;
        inputs = builtins.mapAttrs input type.inputs.options;
        outputsSkeleton = builtins.mapAttrs (_: _: { }) type.outputs.options;
        state = if state == null then null else state.absoluteMemberPath;
      };
    };

  checked = what: option: value:
    if option.type.check value then value
    else throw "A definition for option `${what}' is not of type `${option.type.name}'.";
}
