/* remote_helper.c - the program that a remote starts in tests, where the main
 * of the test cannot begin with tn_remote_main. */
#include "reconciler/source/remote.h"

int
main(int argc, char **argv)
{
    tn_remote_main(argc, argv);
    return 2;
}
