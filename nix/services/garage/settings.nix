# What one node of Garage is told, alone or in a cluster; see https://garagehq.deuxfleurs.fr/documentation/reference-manual/configuration/.
{
  replicas,
  rpcAddress,
  rpcPublic,
  webDomain,
  peers ? [ ],
}:
{
  metadata_dir = "/var/lib/garage/meta";
  data_dir = "/var/lib/garage/data";
  db_engine = "sqlite";
  metadata_fsync = true;
  replication_factor = replicas;
  rpc_bind_addr = rpcAddress;
  rpc_public_addr = rpcPublic;
  bootstrap_peers = peers;
  s3_api = {
    api_bind_addr = "127.0.0.1:3900";
    s3_region = "garage";
  };
  s3_web = {
    bind_addr = "127.0.0.1:3902";
    root_domain = webDomain;
    add_host_to_metrics = false;
  };
  admin.api_bind_addr = "127.0.0.1:3903";
}
