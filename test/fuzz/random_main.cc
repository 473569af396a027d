// Stands in for libFuzzer where there is none: feeds random changes of the seed files to the same
// entry point for a while, after each of them as it is. It does not know what it has covered, so it
// finds less.
//
//   fuzzer SECONDS FOLDER
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::vector<std::string> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2])) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (seeds.empty()) return 2;
  std::mt19937 random(1);
  const auto pick = [&random](size_t bound) { return random() % bound; };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[1]));
  uint64_t runs = 0;
  for (const std::string& seed : seeds) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(seed.data()), seed.size());
    runs++;
  }
  while (std::chrono::steady_clock::now() < until) {
    std::string input = seeds[pick(seeds.size())];
    if (pick(4) == 0) input += seeds[pick(seeds.size())].substr(2);
    for (size_t changes = pick(4); changes > 0 && !input.empty(); changes--) {
      const size_t at = pick(input.size());
      const std::string& other = seeds[pick(seeds.size())];
      switch (pick(5)) {
        case 0:
          input[at] = static_cast<char>(random());
          break;
        case 1:
          input.insert(at, 1, "\r\n\t :;,\"\\#"[pick(10)]);
          break;
        case 2:
          input.erase(at, 1 + pick(3));
          break;
        case 3:
          input.insert(at, other.substr(pick(other.size()), pick(16)));
          break;
        default:
          input.resize(at);
          break;
      }
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
    runs++;
  }
  std::printf("%llu runs\n", static_cast<unsigned long long>(runs));
  return 0;
}
