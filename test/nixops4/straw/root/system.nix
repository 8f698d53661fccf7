# Test equipment: in the shape of nix/nixops4/system.nix, with the same order; `switch` goes over real ssh, and what it
# switches is a machine of straw (../switch.ts).
{ data, lib, local }:
let
  option = type: lib.mkOption { inherit type; };
  node = data.provider.executable;
in
{
  # NixOps4's own `local`, where tests have it, or as that is.
  providers.local = {
    executable = if local == null then node else local;
    args = if local == null then [ (toString ../exec.ts) ] else [ ];
    resourceTypes.exec = {
      requireState = false;
      inputs.options = {
        executable = option lib.types.str;
        args = option (lib.types.listOf lib.types.str);
        stdin = option lib.types.str;
      };
      outputs.options.stdout = option lib.types.str;
    };
  };

  member = { providers, members, progress, behind }:
    let
      machine = members.machine.outputs;
      services = members.services.members;
      outputsOf = kind: name: builtins.mapAttrs (_: one: one.outputs) services.${name}.members.${kind}.members;
      resources = builtins.mapAttrs (name: _: { secrets = outputsOf "secrets" name; buckets = outputsOf "buckets" name; })
        (if isAbsent then { } else data.services);
      records = builtins.mapAttrs (name: _: outputsOf "records" name) data.services;
      isAbsent = data.mode == "absent";
    in
    {
      members = {
        begun = progress "system" null "begun"
          (behind "all of it" (builtins.deepSeq (if isAbsent then records else resources) machine.name));
        switch = {
          type = providers.local.exec;
          inputs = {
            executable = node;
            args = [ (toString ../reach.ts) ];
            stdin = builtins.seq members.system.members.begun.outputs.step (builtins.toJSON {
              inherit resources;
              inherit (data.ssh) identityFile;
              machine = { inherit (machine) address port user hostKey; };
              plan = { inherit (data) deployment domain mode services; };
            });
          };
        };
        done = progress "system" null "done" (behind "switch" members.system.members.switch.outputs.stdout);
      };
    };
}
