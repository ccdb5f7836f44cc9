#include "input.h"

int input_fill(struct input *input)
{
    input->at = 0;
    input->end = input->read(input->context, input->bytes, INPUT_SIZE);
    return input->end > 0;
}
