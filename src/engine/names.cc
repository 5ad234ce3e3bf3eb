#include "engine/names.h"

#include <algorithm>
#include <random>

namespace engine {
namespace {

constexpr std::string_view kAdjectives[] = {
    "agile",    "airy",     "alert",    "amber",    "ample",     "apt",      "astute",   "avid",
    "balmy",    "blithe",   "bold",     "brave",    "breezy",    "bright",   "brisk",    "calm",
    "candid",   "careful",  "cheery",   "chipper",  "civil",     "clear",    "clever",   "cosmic",
    "cosy",     "crisp",    "curious",  "dapper",   "daring",    "deft",     "devoted",  "diligent",
    "dreamy",   "eager",    "earnest",  "easy",     "elegant",   "epic",     "exact",    "fair",
    "famous",   "fearless", "festive",  "fine",     "fleet",     "fond",     "frank",    "free",
    "fresh",    "gallant",  "gentle",   "genuine",  "gifted",    "glad",     "golden",   "graceful",
    "grand",    "hardy",    "hearty",   "helpful",  "honest",    "humble",   "ideal",    "jolly",
    "jovial",   "joyful",   "keen",     "kind",     "learned",   "light",    "lively",   "lofty",
    "logical",  "loyal",    "lucid",    "lucky",    "lunar",     "mellow",   "merry",    "mighty",
    "mindful",  "modest",   "musing",   "neat",     "nimble",    "noble",    "novel",    "patient",
    "peaceful", "placid",   "playful",  "plucky",   "poised",    "polite",   "prime",    "prompt",
    "proud",    "quick",    "quiet",    "quirky",   "radiant",   "rapid",    "ready",    "robust",
    "rosy",     "sage",     "serene",   "sharp",    "shiny",     "silent",   "silver",   "sincere",
    "smart",    "snug",     "solar",    "solid",    "spry",      "stable",   "steady",   "stellar",
    "stoic",    "sturdy",   "subtle",   "sunny",    "swift",     "tender",   "thrifty",  "tidy",
    "tranquil", "trusty",   "upbeat",   "valiant",  "vibrant",   "vigilant", "vivid",    "warm",
    "wise",     "witty",    "worthy",   "zesty"};

// Scientists, engineers and explorers.
constexpr std::string_view kSurnames[] = {
    "abel",      "adams",      "alhazen",   "ampere",    "anning",    "archimedes", "aryabhata", "avogadro",
    "backus",    "banach",     "bardeen",   "bell",      "bernoulli", "bessel",     "bohr",      "boltzmann",
    "boole",     "born",       "bose",      "boyle",     "brahe",     "braun",      "brunel",    "cantor",
    "carnot",    "carson",     "cauchy",    "cavendish", "celsius",   "chandra",    "chomsky",   "church",
    "cochran",   "copernicus", "coulomb",   "cray",      "curie",     "dalton",     "darwin",    "davy",
    "dedekind",  "descartes",  "dijkstra",  "diophantus", "dirac",    "doppler",    "edison",    "einstein",
    "engelbart", "eratosthenes", "erdos",   "euclid",    "euler",     "faraday",    "fermat",    "fermi",
    "feynman",   "fibonacci",  "fourier",   "franklin",  "galileo",   "galois",     "galvani",   "gauss",
    "germain",   "gibbs",      "godel",     "goodall",   "hamilton",  "hamming",    "hardy",     "hawking",
    "heisenberg", "helmholtz", "hermite",   "herschel",  "hertz",     "hilbert",    "hipparchus", "hoare",
    "hooke",     "hopper",     "hubble",    "humboldt",  "huygens",   "hypatia",    "jacobi",    "joule",
    "kalman",    "kelvin",     "kepler",    "khayyam",   "knuth",     "kovalevskaya", "lagrange", "lamarr",
    "laplace",   "lavoisier",  "leavitt",   "legendre",  "leibniz",   "linnaeus",   "liskov",    "lorentz",
    "lovelace",  "mandelbrot", "marconi",   "markov",    "maxwell",   "mccarthy",   "meitner",   "mendel",
    "mendeleev", "mercator",   "minkowski", "mirzakhani", "morse",    "napier",     "nash",      "neumann",
    "newton",    "nightingale", "nobel",    "noether",   "ohm",       "oersted",    "pascal",    "pasteur",
    "pauli",     "peano",      "planck",    "poincare",  "poisson",   "ptolemy",    "pythagoras", "ramanujan",
    "rayleigh",  "riemann",    "ritchie",   "rontgen",   "rubin",     "rutherford", "sagan",     "schrodinger",
    "shannon",   "somerville", "tesla",     "thales",    "torricelli", "turing",    "tycho",     "vesalius",
    "volta",     "wallace",    "watt",      "wegener",   "weyl",      "wiener",     "wilkes",    "wirth",
    "yonath",    "yukawa",     "zuse"};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <std::size_t N>
std::string_view pick(const std::string_view (&words)[N], std::mt19937& random) {
  return words[std::uniform_int_distribution<std::size_t>{0, N - 1}(random)];
}

}  // namespace

bool is_valid_name(std::string_view name) {
  return name.size() >= 2 && is_alphanumeric(name[0]) && std::ranges::all_of(name, [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
  });
}

base::Result<std::string> check_name(std::string_view name) {
  const std::string_view bare = name.starts_with('/') ? name.substr(1) : name;
  if (!is_valid_name(bare)) {
    return base::invalid("Invalid container name (" + std::string{bare} +
                         "), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
  }
  return std::string{bare};
}

std::string random_name(unsigned attempt) {
  thread_local std::mt19937 random{std::random_device{}()};
  std::string name{pick(kAdjectives, random)};
  name += '_';
  name += pick(kSurnames, random);
  // Every fourth failed attempt another digit: the space grows faster than it fills.
  for (unsigned digit = 0; digit < (attempt + 3) / 4; ++digit) {
    name += static_cast<char>('0' + std::uniform_int_distribution<int>{0, 9}(random));
  }
  return name;
}

}  // namespace engine
