# The buckets in which services keep media: in the Garage of the same machine, or wherever the root says.
{
  config,
  lib,
  resources,
  ...
}:
let
  inherit (lib) mkOption types;
  garage = config.fediversity.planned.garage or null;
  inherit (config.fediversity) storage;

  # As the root has it of the resource `bucket`: a bucket elsewhere, with a key of its own whose secret lies in a file here.
  made = lib.filterAttrs (name: of: config.fediversity.planned ? ${name} && (of.buckets or { }) != { }) resources;
  elsewhere =
    _: { buckets, ... }:
    let
      first = builtins.head (builtins.attrValues buckets);
    in
    {
      inherit (first) bucket endpoint region keyId;
      keyFile = first.path;
    };

  bucket = types.submodule (
    { name, config, ... }:
    {
      options = {
        bucket = mkOption {
          type = types.strMatching "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]";
          default = name;
          description = "Its name in the storage.";
        };
        endpoint = mkOption {
          type = types.strMatching "https?://[a-z0-9.:-]+";
          default = "http://127.0.0.1:3900";
          description = "Where the storage answers S3.";
        };
        region = mkOption {
          type = types.strMatching "[a-z0-9-]+";
          default = "garage";
          description = "As the storage has it.";
        };
        keyId = mkOption {
          type = types.nullOr (types.strMatching "[A-Za-z0-9]+");
          default = null;
          description = "Of the key; null: it follows from the key's secret, as on every engine of ours.";
        };
        keyFile = mkOption {
          type = types.strMatching "/[A-Za-z0-9._/-]+";
          default = "${garage.secrets}/key";
          description = "File with the key's secret.";
        };
        url = mkOption {
          type = types.strMatching "https?://[a-z0-9.:/-]+";
          default = "${if garage == null then storage.publicUrl else garage.origin}/${config.bucket}";
          description = "Where everybody reads what is in it.";
        };
        prepare = mkOption {
          type = types.str;
          readOnly = true;
          internal = true;
          default = ''
            secret=$(cat ${config.keyFile})
            id=${
              if config.keyId == null then ''GK$(printf 'id of %s' "$secret" | sha256sum | cut -c 1-24)'' else config.keyId
            }
            printf '%s' "$id" > "$TO/storage-key-id"
            printf '%s' "$secret" > "$TO/storage-key"
            printf 'AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n' "$id" "$secret" > "$TO/storage.env"
          '';
          description = "Shell lines that write the key as environment.";
        };
      };
    }
  );
in
{
  options.fediversity = {
    buckets = mkOption {
      type = types.attrsOf bucket;
      default = { };
      description = "The bucket of each service.";
    };
    storage.publicUrl = mkOption {
      type = types.strMatching "https?://[a-z0-9.:/-]+[a-z0-9]";
      description = "Where buckets of a storage elsewhere are read by everybody, each in a folder of its name.";
    };
  };

  config = {
    _module.args.resources = lib.mkDefault { };
    fediversity.buckets = lib.mapAttrs elsewhere made;
  };
}
