# Our provider as NixOps4 sees it: its resource types with what goes in and what comes out. The node checks all of it
# again (protocol/nixops4/resources.ts has the same names); here it serves to find mistakes before anything runs.
{ lib, executable, args }:
let
  inherit (lib) mkOption types;
  option = type: mkOption { inherit type; };
  optional = type: default: mkOption { inherit type default; };

  word = types.str;
  ensure = optional (types.enum [ "present" "absent" ]) "present";
  generation = optional types.int 0;
  after = optional (types.listOf types.str) [ ];

  resource = requireState: inputs: outputs: {
    inherit requireState;
    inputs.options = inputs;
    outputs.options = builtins.mapAttrs (_: option) outputs;
  };
in
{
  inherit executable args;
  resourceTypes = {
    state = resource false { deployment = option types.str; } { };
    progress = resource false {
      step = option word;
      service = optional (types.nullOr word) null;
      event = option (types.enum [ "begun" "done" ]);
      inherit after;
    } { step = types.str; };
    secret = resource true {
      service = option word;
      name = option word;
      machine = optional (types.nullOr word) null;
      inherit ensure generation after;
    } { reference = types.str; path = types.str; };
    machine = resource true {
      memoryMiB = option types.int;
      diskMiB = option types.int;
      system = option types.str;
      inherit ensure generation after;
    } {
      name = types.str;
      address = types.str;
      publicAddress = types.str;
      port = types.int;
      user = types.str;
      hostKey = types.str;
      system = types.str;
    };
    bucket = resource true {
      service = option word;
      name = option word;
      machine = optional (types.nullOr word) null;
      public = optional types.bool false;
      inherit ensure generation after;
    } {
      bucket = types.str;
      endpoint = types.str;
      region = types.str;
      keyId = types.str;
      reference = types.str;
      path = types.str;
    };
    dns_record = resource true {
      name = option types.str;
      type = option (types.enum [ "A" "AAAA" "CNAME" "TXT" ]);
      values = option (types.listOf types.str);
      ttl = option types.int;
      inherit ensure generation after;
    } { name = types.str; };
    probe = resource false {
      service = option word;
      url = option types.str;
      below = option types.int;
      seconds = option types.int;
      inherit after;
    } { status = types.int; };
  };
}
