#include "trust.h"

#include <array>
#include <mutex>

#include "core/base/lock_waits.h"

namespace ringpoll::tls {

namespace {

constexpr size_t kDigestBytes = 32;
using Digest = std::array<uint8_t, kDigestBytes>;

// The last that were made, for the other threads of the process.
struct Made {
  CountedMutex mutex{SharedLock::kCertificates};
  Digest digest{};
  std::weak_ptr<const Roots> roots;
};

Made& made() {
  static Made last;
  return last;
}

Digest digestOf(const OpenSsl& ssl, const std::vector<Bytes>& pems) {
  Bytes all;
  for (const Bytes& pem : pems) {
    const auto length = static_cast<uint32_t>(pem.size());
    for (int shift = 0; shift < 32; shift += 8)
      all.push_back(static_cast<uint8_t>(length >> shift));
    all.insert(all.end(), pem.begin(), pem.end());
  }
  Digest digest{};
  ssl.EVP_Digest(all.data(), all.size(), digest.data(), nullptr, ssl.EVP_sha256(), nullptr);
  return digest;
}

}  // namespace

std::shared_ptr<const Roots> Roots::of(const std::vector<Bytes>& pems) {
  const OpenSsl& ssl = *openSsl();
  const Digest digest = digestOf(ssl, pems);
  Made& last = made();
  const std::lock_guard lock(last.mutex);
  if (auto shared = last.roots.lock(); shared != nullptr && last.digest == digest) return shared;
  const std::shared_ptr<Roots> roots(new Roots);
  roots->store_.reset(ssl.X509_STORE_new());
  if (roots->store_ == nullptr) return nullptr;
  for (const Bytes& pem : pems) {
    for (OwnedCertificate& each : readCertificates(ssl, pem.data(), pem.size())) {
      if (ssl.X509_STORE_add_cert(roots->store_.get(), each.get()) == 1) {
        roots->all_.push_back(std::move(each));
      }
    }
  }
  ssl.ERR_clear_error();
  last.digest = digest;
  last.roots = roots;
  return roots;
}

std::shared_ptr<const Roots> Roots::ofSystem() {
  const OpenSsl& ssl = *openSsl();
  const std::shared_ptr<Roots> roots(new Roots);
  roots->ofSystem_ = true;
  roots->store_.reset(ssl.X509_STORE_new());
  if (roots->store_ == nullptr) return nullptr;
  ssl.X509_STORE_set_default_paths(roots->store_.get());
  ssl.ERR_clear_error();
  return roots;
}

bool Roots::addTo(const OpenSsl& ssl, x509_store_st* store) const {
  if (ofSystem_) return ssl.X509_STORE_set_default_paths(store) == 1;
  for (const OwnedCertificate& each : all_) {
    if (ssl.X509_STORE_add_cert(store, each.get()) != 1) return false;
  }
  return true;
}

namespace {

bool addCrls(const OpenSsl& ssl, const ContextOptions& options, x509_store_st* store,
             ContextError* error) {
  for (size_t i = 0; i < options.crls.size(); ++i) {
    const std::vector<OwnedCrl> crls = readCrls(ssl, options.crls[i]);
    bool added = !crls.empty();
    for (const OwnedCrl& crl : crls) added = ssl.X509_STORE_add_crl(store, crl.get()) == 1 && added;
    if (added) continue;
    *error = {ContextFailure::kCrl, static_cast<uint32_t>(i), ssl.takeReason()};
    return false;
  }
  if (!options.crls.empty()) {
    ssl.X509_STORE_set_flags(store, OpenSsl::kCheckCrl | OpenSsl::kCheckAllCrls);
  }
  return true;
}

}  // namespace

OwnedStore makeStore(const OpenSsl& ssl, const ContextOptions& options,
                     const std::vector<OwnedCertificate>& authorities, ContextError* error) {
  const bool verifies = options.role == Role::kClient || options.requestCertificate;
  const Roots* roots = options.ownAuthorities || !verifies ? nullptr : options.roots.get();
  if (roots != nullptr && authorities.empty() && options.crls.empty()) {
    ssl.X509_STORE_up_ref(roots->store());
    return OwnedStore(roots->store());
  }
  OwnedStore store(ssl.X509_STORE_new());
  bool done = store != nullptr && (roots == nullptr || roots->addTo(ssl, store.get()));
  for (const OwnedCertificate& each : authorities) {
    done = done && ssl.X509_STORE_add_cert(store.get(), each.get()) == 1;
  }
  if (!done) {
    *error = {ContextFailure::kMemory, 0, ssl.takeReason()};
    return nullptr;
  }
  if (!addCrls(ssl, options, store.get(), error)) return nullptr;
  return store;
}

}  // namespace ringpoll::tls
