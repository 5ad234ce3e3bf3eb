/// Certificates for the tests of TLS, made with OpenSSL's API.
#include <cstdio>
#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "http/detail/test_certificates.h"

namespace http::testing {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using File = std::unique_ptr<std::FILE, Free>;

File open_file(const std::string& path, const char* mode) { return File{std::fopen(path.c_str(), mode)}; }

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) return false;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return true;
}

Certificate unsigned_certificate(EVP_PKEY* key, const std::string& name, long serial) {
  Certificate out{X509_new()};
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(out.get()), 3600);
  X509_set_pubkey(out.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return out;
}

bool write(const std::string& directory, const std::string& name, X509* certificate, EVP_PKEY* key) {
  const File certificate_file = open_file(directory + "/" + name + ".pem", "w");
  const File key_file = open_file(directory + "/" + name + "-key.pem", "w");
  return certificate_file && key_file && PEM_write_X509(certificate_file.get(), certificate) == 1 &&
         PEM_write_PrivateKey(key_file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
}

}  // namespace

bool make_authority(const std::string& directory, const std::string& name) {
  const Key key{EVP_EC_gen("P-256")};
  const Certificate certificate = unsigned_certificate(key.get(), name, 1);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  return add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE") &&
         X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0 &&
         write(directory, name, certificate.get(), key.get());
}

bool make_certificate(const std::string& directory, const std::string& authority, const std::string& name,
                      const std::string& address) {
  const File ca_file = open_file(directory + "/" + authority + ".pem", "r");
  const File ca_key_file = open_file(directory + "/" + authority + "-key.pem", "r");
  if (!ca_file || !ca_key_file) return false;
  const Certificate ca{PEM_read_X509(ca_file.get(), nullptr, nullptr, nullptr)};
  const Key ca_key{PEM_read_PrivateKey(ca_key_file.get(), nullptr, nullptr, nullptr)};
  const Key key{EVP_EC_gen("P-256")};
  const Certificate certificate = unsigned_certificate(key.get(), name, 2);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(ca.get()));
  if (!address.empty() &&
      !add_extension(certificate.get(), ca.get(), NID_subject_alt_name, address.c_str())) {
    return false;
  }
  return X509_sign(certificate.get(), ca_key.get(), EVP_sha256()) > 0 &&
         write(directory, name, certificate.get(), key.get());
}

}  // namespace http::testing
