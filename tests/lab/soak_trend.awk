# soak_trend.awk - from samples "SECONDS RSS_KB DESCRIPTORS THREADS": a straight
# line through the memory after the warm-up, by least squares. Fails beyond
# 'limit' kB over the rest of the run.
{ t[NR] = $1; r[NR] = $2; f[NR] = $3; if ($2 > peak) peak = $2; threads = $4 }
END {
    from = int(NR / 3) + 1
    for (i = from; i <= NR; i++) {
        n++
        sx += t[i]; sy += r[i]; sxx += t[i] * t[i]; sxy += t[i] * r[i]
    }
    d = n * sxx - sx * sx
    slope = d ? (n * sxy - sx * sy) / d : 0
    grown = slope * (t[NR] - t[from])
    printf "# VmRSS kB: first %d, after warm-up %d, last %d, peak %d; trend %+.0f kB over %d s; descriptors %d then %d; threads %d\n",
        r[1], r[from], r[NR], peak, grown, t[NR] - t[from], f[from], f[NR], threads
    exit !(grown < limit)
}
