# The second way to build the addon (npm run build:gyp). CMakeLists.txt is the first; the list of
# sources is shared, and the flags below say the same as there, where the reasons are.
# Not in the package's root, where Yarn and pnpm would take a binding.gyp for a call to compile.
{
  # node-gyp rebuild --ringpoll_bench=1 makes the addon of the microbenchmarks too.
  "variables": { "ringpoll_bench%": 0 },
  "target_defaults": {
    "include_dirs": [
      ".",
      "<!(node -p \"require('node-addon-api').include_dir\")"
    ],
    "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
    "cflags": ["-Wall", "-Wextra", "-Werror=return-type", "-fvisibility=hidden"],
    "cflags!": ["-O3"],
    "cflags_cc": ["-std=c++20", "-O2", "-fvisibility-inlines-hidden", "-fno-exceptions"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    "conditions": [
      ["OS=='linux'", {
        "defines": ["_GNU_SOURCE"],
        "libraries": ["-l:liburing.a"]
      }],
      ["OS=='mac'", {
        "xcode_settings": {
          "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
          "CLANG_CXX_LIBRARY": "libc++",
          "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
          "GCC_OPTIMIZATION_LEVEL": "2",
          "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
          "MACOSX_DEPLOYMENT_TARGET": "11.0"
        }
      }, {
        "ldflags": [
          "-Wl,--exclude-libs,ALL",
          "-Wl,-Bsymbolic",
          "-Wl,--version-script,<(module_root_dir)/native/exports.map",
          "-static-libstdc++",
          "-static-libgcc"
        ]
      }]
    ]
  },
  "targets": [
    {
      "target_name": "ringpoll",
      "sources": [
        "<!@(node scripts/sources.mjs core)",
        "<!@(node scripts/sources.mjs binding)"
      ]
    }
  ],
  "conditions": [
    ["ringpoll_bench==1", {
      "targets": [
        {
          "target_name": "ringpoll_bench",
          "sources": [
            "<!@(node scripts/sources.mjs core)",
            "<!@(node scripts/sources.mjs bench)",
            "<!@(node scripts/sources.mjs bench_addon)"
          ]
        }
      ]
    }]
  ]
}
