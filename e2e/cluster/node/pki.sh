#!/bin/bash
# Owns the cluster's certificates and kubeconfigs: one authority, one certificate for each identity,
# valid for a month (a cluster lives for hours). Must not be run twice on the same folder.
# Arguments: the folder to write, the node's address, the node's name.
set -euo pipefail
umask 077
folder=$1 address=$2 node=$3
mkdir -p "$folder"
cd "$folder"

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

key ca.key
openssl req -x509 -new -key ca.key -sha256 -days 30 -subj /CN=sluice-e2e -out ca.crt

certificate() { # NAME SUBJECT ALTERNATIVE-NAMES
  key "$1.key"
  openssl req -new -key "$1.key" -subj "$2" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 12)" -sha256 -days 30 -out "$1.crt" -extfile <(
      printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\n' "$3") 2>/dev/null
}

kubeconfig() { # NAME: everything inside, so that the file works anywhere
  cat >"$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters:
- name: sluice
  cluster:
    server: https://$address:6443
    certificate-authority-data: $(base64 -w0 ca.crt)
users:
- name: $1
  user:
    client-certificate-data: $(base64 -w0 "$1.crt")
    client-key-data: $(base64 -w0 "$1.key")
contexts:
- name: sluice
  context: {cluster: sluice, user: $1}
current-context: sluice
YAML
}

certificate kube-apiserver /CN=kube-apiserver \
  "IP:$address,IP:127.0.0.1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
certificate admin /O=system:masters/CN=admin DNS:admin
certificate kube-controller-manager /CN=system:kube-controller-manager DNS:kube-controller-manager
certificate kube-scheduler /CN=system:kube-scheduler DNS:kube-scheduler
certificate kube-proxy /CN=system:kube-proxy DNS:kube-proxy
certificate kubelet "/O=system:nodes/CN=system:node:$node" "DNS:$node,IP:$address,IP:127.0.0.1"
certificate aggregator /CN=aggregator DNS:aggregator
certificate prometheus /CN=prometheus DNS:prometheus
certificate traefik /CN=traefik DNS:traefik
for name in admin kube-controller-manager kube-scheduler kube-proxy kubelet prometheus traefik; do kubeconfig "$name"; done

key service-accounts.key
openssl ec -in service-accounts.key -pubout -out service-accounts.pub 2>/dev/null
